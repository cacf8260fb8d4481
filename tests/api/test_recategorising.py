"""改类: what a case is about is put right, and no limit begins anew by it, nor does anybody gain or lose time unfairly."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.calendars.working_time import Limit
from app.clock import SHANGHAI
from app.db import reading, transaction
from tests.api.about_time import (
    as_the_reporter_reads,
    calendar,
    clock_of,
    led_by_the_township,
    led_by_the_village,
    refused,
    verifies,
)
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.cards import at, cards_of, swept
from tests.people import Person

# A Monday with two ordinary weeks before it; what stays open from then on is in no month that others count.
MONDAY = datetime(2026, 8, 3, 10, tzinfo=SHANGHAI)
REASON = "群众反映的是物业服务"
_CATEGORIES = text("SELECT id, path FROM category WHERE level = 3 AND active ORDER BY id LIMIT 2")
_IN_USE = text("UPDATE category SET active = :active WHERE id = :id")
_TEXTS = text(
    "SELECT count(*) FROM outbox_message m JOIN grievance c ON c.id = m.matter_id WHERE c.ref = :ref"
)


async def changes(person: Person, ref: str, **what: Any) -> Any:
    return await person.does(f"/cases/{ref}/recategorise", **what, reason=REASON)


async def mistaken(person: Person, ref: str, **what: Any) -> list[dict[str, str]]:
    """What the person is told is wrong with it; nothing has changed."""
    before = (await person.sees(f"/cases/{ref}"))["version"]
    answer = await person.post(f"/cases/{ref}/recategorise", {**what, "reason": REASON})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-input")
    assert (await person.sees(f"/cases/{ref}"))["version"] == before
    mistakes: list[dict[str, str]] = answer.json()["mistakes"]
    return mistakes


async def categories() -> list[Any]:
    async with reading() as tx:
        return list(await tx.all(_CATEGORIES))


async def due_by(ref: str, running: dict[str, Any], written: str) -> datetime | None:
    """When a clock would be due by that limit from where it began."""
    return (await calendar(ref)).due(running["started_at"], Limit.parse(written)).at


def day(month: int, number: int) -> datetime:
    return datetime(2026, month, number, 23, 59, 59, tzinfo=SHANGHAI)


async def to_the_center(who: Who, **different: Any) -> str:
    ref = await (await who("gongnong")).registers(**different)
    for account in ("gongnong", "guangshun"):
        await (await who(account)).does(f"/cases/{ref}/escalate", finding="无法解决")
    return ref


async def test_what_it_was_and_what_it_is_stands_on_record_and_in_every_list(who: Who) -> None:
    cadre = await who("gongnong")
    first, second = await categories()
    ref = await cadre.registers(category_id=first.id)
    owed = await _texts(ref)
    state = await changes(cadre, ref, kind="complaint", category_id=second.id, urgent=True)
    assert (state["phase"], state["stage"], state["version"]) == ("pending", "judge", 2)
    detail = await cadre.sees(f"/cases/{ref}")
    assert (detail["kind"], detail["category"], detail["urgent"]) == ("complaint", second.path, True)  # fmt: skip
    entry = detail["timeline"][-1]
    assert (entry["label"], entry["texts"], entry["public"]) == ("改类", {"reason": REASON}, True)
    assert entry["data"] == {
        "old": {"kind": "help", "category_id": first.id, "category": first.path, "urgent": False},
        "new": {"kind": "complaint", "category_id": second.id, "category": second.path, "urgent": True},
    }  # fmt: skip
    (item,) = [one for one in await _items(cadre) if one["ref"] == ref]
    assert (item["kind"], item["urgent"]) == ("complaint", True)
    assert await _texts(ref) == owed, "the reporter is not texted"
    assert await verifies(ref)


async def _texts(ref: str) -> int:
    async with reading() as tx:
        owed: int = await tx.scalar(_TEXTS, ref=ref)
    return owed


async def _items(person: Person) -> list[dict[str, Any]]:
    page = await person.sees("/cases", view="to_judge", size=100)
    items = list(page["items"])
    while page["next"]:
        page = await person.sees("/cases", view="to_judge", size=100, cursor=page["next"])
        items += page["items"]
    return items


async def test_reporter_reads_what_changed_but_not_why(who: Who) -> None:
    cadre = await who("gongnong")
    first, second = await categories()
    ref = await cadre.registers()
    await changes(cadre, ref, category_id=first.id)
    await changes(cadre, ref, kind="complaint", category_id=second.id)
    await changes(cadre, ref, urgent=True)
    await changes(cadre, ref, urgent=False)
    told = (await as_the_reporter_reads(ref))[1:]
    assert [one["label"] for one in told] == [
        f"工农茶叶产业社区居民委员会调整了事件类别：分类改为“{first.path}”",
        f"工农茶叶产业社区居民委员会调整了事件类别：性质由“求助”改为“投诉”，分类由“{first.path}”改为“{second.path}”",
        "工农茶叶产业社区居民委员会调整了事件类别：改为紧急",
        "工农茶叶产业社区居民委员会调整了事件类别：改为不紧急",
    ]
    assert all(one["texts"] == {} for one in told)


async def test_whole_case_is_due_by_the_sooner_of_what_it_was_and_what_it_is_now(
    who: Who,
) -> None:
    ref = await to_the_center(who)
    center = await who("zhihui")
    whole, law = await clock_of(center, ref, "whole"), await clock_of(center, ref, "statutory")
    await changes(center, ref, kind="question")
    sooner = await clock_of(center, ref, "whole")
    assert sooner["due_at"] == await due_by(ref, whole, "10wd") < whole["due_at"]
    assert (sooner["started_at"], sooner["rule"]) == (whole["started_at"], "default/whole/question")
    detail = await center.sees(f"/cases/{ref}")
    assert datetime.fromisoformat(detail["due_at"]) == sooner["due_at"]
    # And back: not even the command center gives the whole case more time by another name.
    await changes(center, ref, kind="help")
    assert await clock_of(center, ref, "whole") == sooner
    assert await clock_of(center, ref, "statutory") == law
    assert await verifies(ref)


async def test_holder_gains_no_time_by_another_name_and_command_center_may_give_it(
    who: Who,
) -> None:
    cadre = await who("gongnong")
    ref = await led_by_the_village(who, kind="question")
    before = await clock_of(cadre, ref, "handle")
    assert before["limit"] == "3 个工作日"
    await changes(cadre, ref, kind="help")
    assert await clock_of(cadre, ref, "handle") == before
    center = await who("zhihui")
    await changes(center, ref, kind="suggestion")
    after = await clock_of(cadre, ref, "handle")
    assert after["started_at"] == before["started_at"]
    assert after["due_at"] == await due_by(ref, before, "5wd") > before["due_at"]
    detail = await cadre.sees(f"/cases/{ref}")
    assert datetime.fromisoformat(detail["stage_due_at"]) == after["due_at"]
    assert datetime.fromisoformat(detail["parts"][0]["due_at"]) == after["due_at"]
    assert await verifies(ref)


async def test_nor_does_holder_gain_time_that_changes_name_before_it_begins_to_handle(
    who: Who,
) -> None:
    cadre, center = await who("gongnong"), await who("zhihui")
    own = await cadre.registers(kind="question", urgent=True)
    await changes(cadre, own, urgent=False)
    await changes(cadre, own, kind="help")
    assert (await clock_of(cadre, own, "judge"))["rule"] == "default/judge/urgent"
    await cadre.does(f"/cases/{own}/handle")
    assert (await clock_of(cadre, own, "handle"))["rule"] == "default/handle/question/urgent"
    # What somebody else has looked at since is not the holder's own doing.
    theirs = await cadre.registers(kind="question", urgent=True)
    await changes(cadre, theirs, urgent=False)
    await changes(center, theirs, kind="help")
    await cadre.does(f"/cases/{theirs}/handle")
    assert (await clock_of(cadre, theirs, "handle"))["rule"] == "default/handle/help"
    # Calling it what gives less time holds, as everywhere.
    sooner = await cadre.registers()
    await changes(cadre, sooner, kind="question")
    await cadre.does(f"/cases/{sooner}/handle")
    assert (await clock_of(cadre, sooner, "handle"))["rule"] == "default/handle/question"
    assert await verifies(own)


async def test_what_would_be_late_at_once_has_a_full_working_day_and_no_card(who: Who) -> None:
    cadre = await who("gongnong")
    with at(MONDAY):
        ref = await led_by_the_village(who)
    assert (await clock_of(cadre, ref, "handle"))["due_at"] == day(8, 17)
    with at(MONDAY + timedelta(days=4, hours=2)):
        await changes(cadre, ref, urgent=True)
    handle, whole = await clock_of(cadre, ref, "handle"), await clock_of(cadre, ref, "whole")
    # On Friday noon: Monday is the first full working day. The whole case's 5 end with that day by themselves.
    assert (handle["due_at"], handle["limit"], handle["rule"]) == (day(8, 10), "5 个工作日", "recategorised/5wd")  # fmt: skip
    assert (whole["due_at"], whole["rule"]) == (day(8, 10), "default/whole/help/urgent")
    assert handle["red_at"] == day(8, 11) + timedelta(seconds=1), "from then on as what is urgent"
    await swept(ref, stage="handle")
    assert len(await cards_of(ref)) == 1
    assert await verifies(ref)


async def test_who_had_less_than_a_day_left_keeps_that(who: Who) -> None:
    cadre = await who("gongnong")
    with at(MONDAY):
        ref = await cadre.registers()
    before = await clock_of(cadre, ref, "judge")
    with at(MONDAY + timedelta(days=1)):
        await changes(cadre, ref, urgent=True)
    assert await clock_of(cadre, ref, "judge") == before


async def test_what_was_missed_stays_missed_and_its_card_stands(who: Who) -> None:
    cadre, center = await who("gongnong"), await who("zhihui")
    with at(MONDAY):
        ref = await led_by_the_village(who, kind="question")
    before = await clock_of(cadre, ref, "handle")
    carded = await swept(ref, stage="handle")
    (card,) = await cards_of(ref)
    with at(carded + timedelta(hours=10)):
        await changes(center, ref, kind="help")
        assert await clock_of(cadre, ref, "handle") == before
        await changes(center, ref, urgent=True)
        assert await clock_of(cadre, ref, "handle") == before
    assert await cards_of(ref) == [card]


async def test_clock_that_stands_still_goes_on_by_what_the_case_is_now(who: Who) -> None:
    cadre, center = await who("gongnong"), await who("zhihui")
    with at(MONDAY):
        ref = await cadre.registers(urgent=True)
        await cadre.does(f"/cases/{ref}/request-supplement", missing="房屋编号")
        await changes(center, ref, urgent=False)
    assert (await clock_of(cadre, ref, "judge"))["paused"]
    with at(MONDAY + timedelta(days=8)):
        await cadre.does(f"/cases/{ref}/supply", supplement="13栋")
    judge = await clock_of(cadre, ref, "judge")
    assert (judge["due_at"], judge["rule"]) == (day(8, 12), "default/judge/village")
    assert await verifies(ref)


async def test_of_a_case_that_was_given_the_lead_asks_the_command_center(who: Who) -> None:
    ref = await led_by_the_township(who)
    for account in ("ronglong", "ronglong_head"):
        told = await refused(await who(account), ref, "recategorise")
        assert "由指挥中心改类" in told
        assert "请申请退回" in told
    assert "只有" in await refused(await who("shuiwu"), ref, "recategorise")
    center = await who("zhihui")
    given, assist = await clock_of(center, ref, "handle"), await clock_of(center, ref, "assist")
    assert given["rule"] == "given/7wd"
    await changes(center, ref, kind="complaint")
    assert await clock_of(center, ref, "handle") == given, "given for this one case"
    await changes(center, ref, kind="question")
    handle = await clock_of(center, ref, "handle")
    assert (handle["due_at"], handle["limit"]) == (await due_by(ref, given, "3wd"), "3 个工作日")
    assert await clock_of(center, ref, "assist") == assist, "assistants keep their limits"
    assert await verifies(ref)


async def test_who_does_not_hold_the_case_may_not(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    for account in ("gongnong", "lingdao", "ducha"):
        assert "只有县指挥中心、当前承办单位" in await refused(
            await who(account), ref, "recategorise"
        )
    assert (await (await who("shuiwu")).post(f"/cases/{ref}/recategorise", BODIES["recategorise"])).status_code == 404  # fmt: skip
    assert "recategorise" in (await (await who("guangshun")).sees(f"/cases/{ref}"))["actions"]


async def test_what_is_over_stays_what_it_was(who: Who) -> None:
    cadre, center = await who("gongnong"), await who("zhihui")
    answered = await led_by_the_village(who)
    await cadre.does(f"/cases/{answered}/answer", outcome="solved", answer="已恢复供水")
    withdrawn = await cadre.registers()
    await cadre.does(f"/cases/{withdrawn}/withdraw", reason="已自行解决")
    merged, primary = await to_the_center(who), await to_the_center(who)
    await center.does(f"/cases/{merged}/merge", primary_ref=primary, reason="同一件")
    for ref, phase in ((answered, "已办结"), (withdrawn, "已撤回"), (merged, "已并案")):
        assert phase in await refused(center, ref, "recategorise")
    await center.does(f"/cases/{answered}/close")
    assert "已归档" in await refused(center, answered, "recategorise")


async def test_nothing_becomes_accusation_and_no_accusation_becomes_something_else(
    who: Who,
) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    (told,) = await mistaken(cadre, ref, kind="accusation")
    assert (told["where"], "另行登记" in told["what"]) == ("body.kind", True)
    sealed = await cadre.registers(kind="accusation", title="检举")
    for account in ("gongnong", "guangshun", "zhihui", "ducha", "lingdao"):
        answer = await (await who(account)).post(f"/cases/{sealed}/recategorise", BODIES["recategorise"])  # fmt: skip
        assert answer.status_code == 404
    told_inspector = await refused(await who("jiwei"), sealed, "recategorise")
    assert "检举控告始终保密" in told_inspector
    assert "recategorise" not in (await (await who("jiwei")).sees(f"/cases/{sealed}"))["actions"]


async def test_what_is_no_correction_is_refused(who: Who) -> None:
    cadre = await who("gongnong")
    first, _ = await categories()
    ref = await cadre.registers(category_id=first.id)
    for same in ({}, {"kind": "help"}, {"kind": "help", "category_id": first.id, "urgent": False}):
        (told,) = await mistaken(cadre, ref, **same)
        assert (told["where"], "没有可改的" in told["what"]) == ("body", True)
    unknown = {"where": "body.category_id", "what": "没有这一项，请重新选择"}
    assert await mistaken(cadre, ref, category_id=2**31 - 1) == [unknown]
    answer = await cadre.post(f"/cases/{ref}/recategorise", {"urgent": True})
    assert (answer.status_code, answer.json()["mistakes"][0]["where"]) == (422, "body.reason")


async def test_category_that_is_no_longer_used_is_not_chosen_but_may_stay(who: Who) -> None:
    cadre = await who("gongnong")
    first, second = await categories()
    ref, other = await cadre.registers(category_id=first.id), await cadre.registers()
    async with transaction() as tx:
        await tx.execute(_IN_USE, id=first.id, active=False)
    try:
        (told,) = await mistaken(cadre, other, category_id=first.id)
        assert told["where"] == "body.category_id"
        await changes(cadre, ref, category_id=first.id, urgent=True)
        await changes(cadre, ref, category_id=second.id)
        (told,) = await mistaken(cadre, ref, category_id=first.id)
        assert told["where"] == "body.category_id"
    finally:
        async with transaction() as tx:
            await tx.execute(_IN_USE, id=first.id, active=True)


@pytest.mark.parametrize("seen", [1, 2])
async def test_it_is_refused_where_somebody_else_came_in_between(who: Who, seen: int) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    await changes(cadre, ref, urgent=True)
    answer = await cadre.post(
        f"/cases/{ref}/recategorise", {"urgent": False, "reason": REASON}, version=seen
    )
    assert answer.status_code == (200 if seen == 2 else 412)
