"""复查 and 复核: asked in time and once, decided by the next tier and by nobody who worked on it, told to the reporter."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.auth.actor import SYSTEM, CitizenActor
from app.cases import timeline
from app.cases.actions import closing, reviewing
from app.clock import SHANGHAI
from app.db import reading, transaction
from app.directory.terms import Role
from app.errors import ActionNotAllowed
from app.matters import conflict_of_interest
from tests.api.about_time import clock_of, led_by_the_township, papers_of, texts, verifies
from tests.api.conftest import Who
from tests.cards import cards_of, swept
from tests.conftest import find_staff
from tests.people import Person
from tests.units import Held, employed

ANSWER = {"outcome": "solved", "answer": "已修好"}
WHY = {"reason": "五楼以上仍没有水。"}
UPHELD = {"outcome": "upheld", "reason": "经现场核实，水压已达标准。"}
REVOKED = {"outcome": "revoked", "reason": "五楼确实没有水。"}
_ID = text("SELECT id FROM grievance WHERE ref = :ref")
_OWED = text(
    "SELECT round FROM outbox_message WHERE matter_id = :id AND kind = 'survey_owed' ORDER BY round"
)
_CITIZEN = text("SELECT citizen_id FROM grievance WHERE ref = :ref")


async def answered_by_the_village(who: Who, **different: Any) -> str:
    cadre = await who("gongnong")
    ref = await cadre.registers(**different)
    await cadre.does(f"/cases/{ref}/handle")
    await cadre.does(f"/cases/{ref}/answer", **ANSWER)
    return ref


async def page(ref: str) -> dict[str, Any]:
    """The reporter's own page."""
    async with reading() as tx:
        citizen_id = await tx.scalar(_CITIZEN, ref=ref)
        return await timeline.for_reporter(tx, ref, citizen_id=citizen_id)


async def refused(person: Person, path: str, body: dict[str, str]) -> str:
    answer = await person.post(path, body)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/action-not-allowed")
    return str(answer.json()["detail"])


def day(moment: datetime) -> str:
    own = moment.astimezone(SHANGHAI)
    return f"{own.year}年{own.month}月{own.day}日"


async def test_review_is_asked_of_the_next_tier_until_the_day_that_was_told(who: Who) -> None:
    cadre, township = await who("gongnong"), await who("guangshun")
    ref = await answered_by_the_village(who)
    (opinion,) = await papers_of(cadre, ref, "opinion")
    until = datetime.fromisoformat((await page(ref))["review"]["until"])
    assert (await page(ref))["review"]["may_ask"] == "review"
    assert day(until) in (await cadre.get(f"/cases/{ref}/papers/{opinion['id']}")).text
    assert until.astimezone(SHANGHAI).date() == (datetime.now(SHANGHAI) + timedelta(days=30)).date()

    assert "ask_review" in (await cadre.sees(f"/cases/{ref}"))["actions"]
    await cadre.does(f"/cases/{ref}/ask-review", **WHY)
    assert (await page(ref))["review"]["open"] == "review"
    item = (await township.items("to_decide"))[ref]
    assert item["to_decide"] == "review"
    assert item["part_due_at"] is not None
    (asked,) = await texts(ref, "review_asked")
    assert (asked["what"], asked["unit"]) == ("复查", "广顺街道")
    clock = await clock_of(township, ref, "review")
    assert (clock["limit"], day(clock["due_at"])) == ("30 个自然日", asked["until"])
    assert (
        await refused(cadre, f"/cases/{ref}/ask-review", WHY)
        == "不能申请复查：这次答复已经申请过复查。"
    )


async def test_review_is_decided_by_the_next_tier_and_told_to_the_reporter(who: Who) -> None:
    cadre, township = await who("gongnong"), await who("guangshun")
    ref = await answered_by_the_village(who)
    await cadre.does(f"/cases/{ref}/ask-review", **WHY)
    assert "decide_review" in (await township.sees(f"/cases/{ref}"))["actions"]
    assert "decide_review" not in (await cadre.sees(f"/cases/{ref}"))["actions"]
    await township.does(f"/cases/{ref}/decide-review", **UPHELD)
    assert ref not in await township.lists("to_decide")
    detail = await cadre.sees(f"/cases/{ref}")
    assert (detail["phase"], detail["round"]) == ("answered", 1)
    own = await page(ref)
    next_until = datetime.fromisoformat(own["review"]["until"])
    assert own["review"] == {
        "open": None,
        "may_ask": "reexamination",
        "until": own["review"]["until"],
    }
    assert [one["label"] for one in own["timeline"][-2:]] == [
        "您申请复查，由广顺街道复查", "广顺街道复查决定：维持原处理意见",
    ]  # fmt: skip
    assert own["timeline"][-1]["texts"] == {"reason": UPHELD["reason"]}
    (told,) = await texts(ref, "review_decided")
    assert (told["decision"], told["reason"]) == ("维持原处理意见", UPHELD["reason"])
    assert told["next"] == f"不服的，可在{day(next_until)}前申请复核"
    (paper,) = await papers_of(cadre, ref, "review")
    assert "复〔" in paper["number"]
    drawn = (await cadre.get(f"/cases/{ref}/papers/{paper['id']}")).text
    assert "复查意见书" in drawn
    assert day(next_until) in drawn
    assert UPHELD["reason"] in drawn
    assert paper["id"] in {str(one["id"]) for one in own["papers"]}
    assert await verifies(ref)


async def test_reexamination_is_decided_one_tier_above_and_is_final(who: Who) -> None:
    cadre, township, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    ref = await answered_by_the_village(who)
    assert "须先经复查" in await refused(cadre, f"/cases/{ref}/ask-reexamination", WHY)
    await cadre.does(f"/cases/{ref}/ask-review", **WHY)
    await township.does(f"/cases/{ref}/decide-review", **UPHELD)
    await cadre.does(f"/cases/{ref}/ask-reexamination", **WHY)
    assert (await center.items("to_decide"))[ref]["to_decide"] == "reexamination"
    await center.does(f"/cases/{ref}/decide-reexamination", **UPHELD)
    told = (await texts(ref, "review_decided"))[-1]
    assert (told["what"], told["next"]) == ("复核", "这是最终意见，同一事实和理由不再受理")
    (paper,) = await papers_of(center, ref, "reexamination")
    assert "本意见为最终意见" in (await center.get(f"/cases/{ref}/papers/{paper['id']}")).text
    assert (await page(ref))["review"] is None
    assert "最终意见" in await refused(cadre, f"/cases/{ref}/ask-reexamination", WHY)
    assert "已经申请过复查" in await refused(cadre, f"/cases/{ref}/ask-review", WHY)
    assert await verifies(ref)


async def test_reporter_asks_on_time_only(who: Who) -> None:
    ref = await answered_by_the_village(who)
    async with reading() as tx:
        reporter = CitizenActor(await tx.scalar(_CITIZEN, ref=ref), None)
    until = datetime.fromisoformat((await page(ref))["review"]["until"])
    async with transaction() as tx:
        await closing.close(tx, ref, by=SYSTEM, now=until - timedelta(days=20))
    late = until + timedelta(seconds=1)
    async with transaction() as tx:
        with pytest.raises(ActionNotAllowed, match="期限已过"):
            await reviewing.ask_review(tx, ref, by=reporter, reason="没修好", now=late)
    async with transaction() as tx:
        asked = await reviewing.ask_review(tx, ref, by=reporter, reason="没修好", now=until)
    assert asked.case.phase == "closed", "what is archived may be reviewed as well"


@pytest.mark.parametrize("outcome", ["changed", "revoked"])
async def test_answer_that_is_not_upheld_is_handled_again_as_a_new_round(
    who: Who, outcome: str
) -> None:
    cadre, township = await who("gongnong"), await who("guangshun")
    ref = await answered_by_the_village(who)
    await cadre.does(f"/cases/{ref}/ask-review", **WHY)
    state = await township.does(f"/cases/{ref}/decide-review", **{**REVOKED, "outcome": outcome})
    assert (state["phase"], state["round"]) == ("handling", 2)
    (told,) = await texts(ref, "review_decided")
    assert "重新办理" in told["next"]
    assert (await page(ref))["review"] is None
    await cadre.does(f"/cases/{ref}/sign")
    assert (await clock_of(cadre, ref, "handle"))["round"] == 2
    again = await cadre.post(f"/cases/{ref}/answer", ANSWER)
    assert "上一轮答复人以外的人" in again.json()["detail"]
    await (await who("zhihui")).does(f"/cases/{ref}/approve-answer", reason="只有一名干部")
    await cadre.does(f"/cases/{ref}/answer", **ANSWER)
    assert (await page(ref))["review"]["may_ask"] == "review", "a new answer may be reviewed anew"
    await cadre.does(f"/cases/{ref}/ask-review", **WHY)
    assert await verifies(ref)
    # The round is counted by the record: the survey about it is kept from who answered it.
    handler, clerk = await find_staff("gongnong"), await find_staff("guangshun")
    async with transaction() as tx:
        matter_id = await tx.scalar(_ID, ref=ref)
        for round_ in (1, 2):
            assert await conflict_of_interest.keeps_from(
                tx, handler, matter_id=matter_id, round_=round_
            )
            assert not await conflict_of_interest.keeps_from(
                tx, clerk, matter_id=matter_id, round_=round_
            )
        owed = [row.round for row in await tx.all(_OWED, id=matter_id)]
    assert owed == [1, 2]


async def test_nobody_who_worked_on_the_case_decides_its_review(who: Who) -> None:
    account = await employed(
        Held("500153003007", Role.VILLAGE_CADRE),
        Held("500153003", Role.TOWNSHIP_CLERK, since=date(2021, 1, 1)),
    )
    both = await who(account)
    ref = await both.registers()
    await both.does(f"/cases/{ref}/handle")
    await both.does(f"/cases/{ref}/answer", **ANSWER)
    await both.does(f"/cases/{ref}/ask-review", **WHY)
    posts = (await both.sees("/sessions/me"))["posts"]
    [township] = [one["id"] for one in posts if one["role"] == Role.TOWNSHIP_CLERK]
    await both.does("/sessions/current/post", post_id=township)
    assert "decide_review" not in (await both.sees(f"/cases/{ref}"))["actions"]
    told = await refused(both, f"/cases/{ref}/decide-review", UPHELD)
    assert "参与过这件事的人不能" in told


async def test_nobody_with_a_post_where_it_was_handled_decides_its_review(who: Who) -> None:
    ref = await answered_by_the_village(who)
    await (await who("gongnong")).does(f"/cases/{ref}/ask-review", **WHY)
    both = await who(
        await employed(
            Held("500153003", Role.TOWNSHIP_CLERK),
            Held("500153003007", Role.VILLAGE_CADRE, since=date(2021, 1, 1)),
        )
    )
    answer = await both.post(f"/cases/{ref}/decide-review", UPHELD)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-permitted")
    await (await who("guangshun")).does(f"/cases/{ref}/decide-review", **UPHELD)


async def test_tier_that_took_part_is_passed_over_and_reviewing_body_comes_last(
    who: Who,
) -> None:
    """A township led what the command center gave it: the center reviews, the discipline commission re-examines."""
    cadre, lead, center = await who("gongnong"), await who("ronglong"), await who("zhihui")
    ref = await led_by_the_township(who)
    await (await who("shuiwu")).does(f"/cases/{ref}/sign")
    await (await who("shuiwu")).does(f"/cases/{ref}/assist-answer", answer="管网已修复")
    await lead.does(f"/cases/{ref}/answer", **ANSWER)
    await cadre.does(f"/cases/{ref}/ask-review", **WHY)
    await center.does(f"/cases/{ref}/decide-review", **UPHELD)
    await cadre.does(f"/cases/{ref}/ask-reexamination", **WHY)
    commission = await who("jiwei")
    assert ref in await commission.lists("to_decide")
    await commission.does(f"/cases/{ref}/decide-reexamination", **UPHELD)
    assert (await page(ref))["timeline"][-1]["label"].endswith("复核决定：维持原处理意见")


async def test_above_the_reviewing_body_nobody_reviews_and_the_refusal_says_so(who: Who) -> None:
    center, commission = await who("zhihui"), await who("jiwei")
    ref = await center.registers()
    await center.does(f"/cases/{ref}/handle")
    await center.does(f"/cases/{ref}/answer", **ANSWER)
    await center.does(f"/cases/{ref}/ask-review", **WHY)
    await commission.does(f"/cases/{ref}/decide-review", **UPHELD)
    (told,) = await texts(ref, "review_decided")
    assert told["next"] == "不服的，可在三十日内向上一级机关申请复核"
    assert (await page(ref))["review"] is None
    assert "没有更高一级" in await refused(center, f"/cases/{ref}/ask-reexamination", WHY)


async def test_accusation_is_reviewed_by_nobody_here(who: Who) -> None:
    cadre, inspector = await who("gongnong"), await who("jiwei")
    ref = await cadre.registers(kind="accusation")
    await inspector.does(f"/cases/{ref}/handle")
    await inspector.does(f"/cases/{ref}/answer", **ANSWER)
    async with reading() as tx:
        reporter = CitizenActor(await tx.scalar(_CITIZEN, ref=ref), None)
    async with transaction() as tx:
        now = await tx.now()
        with pytest.raises(ActionNotAllowed, match="请向上一级机关提出"):
            await reviewing.ask_review(tx, ref, by=reporter, reason="不服", now=now)


async def test_missed_review_gives_the_reviewing_unit_a_card(who: Who) -> None:
    cadre, township = await who("gongnong"), await who("guangshun")
    ref = await answered_by_the_village(who)
    await cadre.does(f"/cases/{ref}/ask-review", **WHY)
    issued = await swept(ref, stage="review")
    assert issued > datetime.now(UTC) + timedelta(days=29)
    (card,) = await cards_of(ref)
    shown = await township.sees(f"/cards/{card}")
    assert (shown["stage"], shown["unit"], shown["level"]) == ("review", "广顺街道", "yellow")


async def test_no_return_call_orders_rework_while_a_review_is_open(who: Who) -> None:
    ref = await answered_by_the_village(who)
    await (await who("gongnong")).does(f"/cases/{ref}/ask-review", **WHY)
    center = await find_staff("zhihui")
    async with transaction() as tx:
        now = await tx.now()
        with pytest.raises(ActionNotAllowed, match="尚未决定"):
            await closing.rework(tx, ref, by=center, reason="再办", found_valid=True, now=now)
