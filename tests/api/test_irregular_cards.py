"""Cards for irregular handling over HTTP: who gives them to whom, with a reason, once."""

from tests.api.conftest import Who
from tests.api.test_cards import IRREGULAR, escalated, ids
from tests.cards import cards_of


async def test_supervisor_cards_a_unit_and_a_person_of_it_with_the_reason(who: Who) -> None:
    ref, inspector, clerk = await escalated(who), await who("ducha"), await who("guangshun")
    card = await inspector.does(f"/cases/{ref}/card", **IRREGULAR, person="周启明")
    assert (card["level"], card["cause"], card["cause_label"]) == ("red", "irregular", "违规办理")
    assert (card["unit"], card["person"], card["post"]) == ("广顺街道", "周启明", "群工办干事")
    assert (card["reason"], card["issued_by"]) == (IRREGULAR["reason"], "贺敏")
    assert (card["may_appeal"], card["may_decide"], card["due_at"]) == (False, False, None)
    assert card["id"] in await ids(clerk, whose="me", cause="irregular")
    assert (await clerk.sees(f"/cards/{card['id']}"))["may_appeal"] is True
    entry = (await clerk.sees(f"/cases/{ref}"))["timeline"][-1]
    assert (entry["action"], entry["unit"], entry["to"]) == (
        "card",
        "荣昌区群工系统指挥中心",
        "广顺街道",
    )
    assert entry["texts"] == {"reason": IRREGULAR["reason"]}
    assert "周启明" not in str(entry["data"])
    assert not entry["public"]
    by_account = await inspector.does(f"/cases/{ref}/card", **IRREGULAR, person="guangshun_head")
    assert by_account["person"] == "唐国梁"
    unnamed = await inspector.does(f"/cases/{ref}/card", **IRREGULAR)
    assert (unnamed["person"], unnamed["person_id"]) == (None, None)


async def test_nobody_but_a_supervisor_cards_and_no_supervisor_his_own_unit(who: Who) -> None:
    ref = await escalated(who)
    for account in ("gongnong", "guangshun_head", "zhihui", "zhihui_head", "lingdao", "admin"):
        answer = await (await who(account)).post(f"/cases/{ref}/card", IRREGULAR)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-permitted"), (
            account
        )
    inspector, commission = await who("ducha"), await who("jiwei")
    own = {**IRREGULAR, "unit_code": "500153ZH"}
    assert (await inspector.post(f"/cases/{ref}/card", own)).status_code == 403
    assert (await commission.does(f"/cases/{ref}/card", **own))["unit"] == "荣昌区群工系统指挥中心"


async def test_card_is_given_to_those_only_who_took_part(who: Who) -> None:
    ref, inspector = await escalated(who), await who("ducha")
    for wrong in (
        {"unit_code": "500153100"},
        {"unit_code": "999999"},
        {"person": "刘德荣"},
        {"level": "green"},
        {"reason": ""},
        {"reason": "\u0000"},
    ):
        answer = await inspector.post(f"/cases/{ref}/card", {**IRREGULAR, **wrong})
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-input"), (
            wrong
        )
    assert await cards_of(ref) == []


async def test_card_sent_twice_is_issued_once_and_not_on_what_has_changed_since(who: Who) -> None:
    ref, inspector = await escalated(who), await who("ducha")
    first = await inspector.post(f"/cases/{ref}/card", IRREGULAR, key=f"card-{ref}")
    again = await inspector.post(f"/cases/{ref}/card", IRREGULAR, key=f"card-{ref}")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    stale = await inspector.post(f"/cases/{ref}/card", IRREGULAR, version=3)
    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/changed-meanwhile")
    assert await cards_of(ref) == [first.json()["id"]]


async def test_somebody_is_left_to_decide_about_card_that_one_desk_gives_other(
    who: Who,
) -> None:
    """By the sample county's own people alone."""
    center = await who("zhihui")
    ref = await center.registers()
    path = f"/cases/{ref}/card"
    given = {"level": "yellow", "unit_code": "500153ZH", "reason": "未见面核实。"}
    card = (await (await who("jiwei")).does(path, **given))["id"]
    await center.does(f"/cards/{card}/appeal", ground="当日已见面核实")
    for barred in ("jiwei", "ducha", "duchashi"):
        answer = await (await who(barred)).post(f"/cards/{card}/decide-appeal", {"upheld": True, "reason": "属实"})  # fmt: skip
        assert answer.status_code == 403, barred
    decided = await (await who("jiandu")).does(f"/cards/{card}/decide-appeal", upheld=True, reason="属实")  # fmt: skip
    assert decided["revoked_at"] is not None
