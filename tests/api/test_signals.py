"""Buck-passing over HTTP: computed from the record, told to those who look over the county."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.about_time import clock_of
from tests.api.conftest import Who
from tests.api.test_visibility import ABSENT
from tests.cards import at

LONG = "本社区没有供水管网的检修设备和人员，需要上级协调处理"
# A month that no other test's cases were registered in.
FEBRUARY = datetime(2026, 2, 3, 2, tzinfo=UTC)
JUST_DUE = datetime(2026, 2, 5, 15, 30, tzinfo=UTC)
PERIOD = {"from": "2026-02-01", "to": "2026-02-28"}


async def passed_around(who: Who) -> str:
    """Escalated at the last moment, sent back, escalated again with the same words."""
    cadre, clerk = await who("gongnong"), await who("guangshun")
    with at(FEBRUARY):
        ref = await cadre.registers()
    with at(JUST_DUE):
        await cadre.does(f"/cases/{ref}/escalate", finding=LONG)
        await clerk.does(f"/cases/{ref}/send-down", to_code="500153003007", reason="属社区职责")
        await cadre.does(f"/cases/{ref}/escalate", finding=LONG)
        await clerk.does(f"/cases/{ref}/escalate", finding="办不了")
    return ref


async def test_signals_of_a_case_name_entry_and_unit(who: Who) -> None:
    inspector = await who("ducha")
    before = await inspector.sees("/units/500153003007/signals", **PERIOD)
    ref = await passed_around(who)
    told = await inspector.sees(f"/cases/{ref}/signals")
    assert told["counts"] == {
        "returned": 1, "ping_pong": 1, "empty_finding": 2, "late_escalation": 1, "repeated_extension": 0, "withdrawn": 0,
    }  # fmt: skip
    shown = [(one["signal"], one["seq"], one["unit_code"]) for one in told["facts"]]
    assert sorted(shown) == [
        ("empty_finding", 4, "500153003007"),
        ("empty_finding", 5, "500153003"),
        ("late_escalation", 2, "500153003007"),
        ("ping_pong", 4, "500153003007"),
        ("returned", 3, "500153003"),
    ]
    detail = await inspector.sees(f"/cases/{ref}")
    assert detail["returns"] == told["counts"]["returned"]
    seq = {entry["seq"]: entry["action"] for entry in detail["timeline"]}
    assert {seq[one["seq"]] for one in told["facts"]} == {"escalate", "send_down"}

    unit = await inspector.sees("/units/500153003007/signals", **PERIOD)
    assert unit["cases"] == before["cases"] + 1
    grown = {name: unit["counts"][name] - number for name, number in before["counts"].items()}
    assert grown == {
        "returned": 0, "ping_pong": 1, "empty_finding": 1, "late_escalation": 1, "repeated_extension": 0, "withdrawn": 0,
    }  # fmt: skip
    other: Any = await inspector.sees(
        "/units/500153003007/signals", **{"from": "2026-01-01", "to": "2026-01-31"}
    )
    assert (other["cases"], set(other["counts"].values())) == (0, {0})


async def test_escalating_from_handling_at_end_of_limit_or_after_it_is_late(
    who: Who,
) -> None:
    inspector, cadre, clerk = await who("ducha"), await who("gongnong"), await who("guangshun")
    for days, late in ((-15, 0), (0, 1), (1, 1)):
        with at(FEBRUARY):
            ref = await cadre.registers()
            await cadre.does(f"/cases/{ref}/escalate", finding=LONG)
            await clerk.does(f"/cases/{ref}/handle")
        due = (await clock_of(clerk, ref, "handle"))["due_at"]
        with at(due + timedelta(days=days, minutes=-1)):
            await clerk.does(f"/cases/{ref}/escalate", finding=f"街道核实：{LONG}")
        told = await inspector.sees(f"/cases/{ref}/signals")
        assert told["counts"]["late_escalation"] == late, days
        shown = [one["unit_code"] for one in told["facts"] if one["signal"] == "late_escalation"]
        assert shown == ["500153003"] * late
        unit = await inspector.sees("/units/500153003/signals", **PERIOD)
        assert unit["counts"]["late_escalation"] >= late


async def test_units_of_the_county_are_listed_by_how_much_they_show(who: Who) -> None:
    inspector = await who("ducha")
    await passed_around(who)
    told = await inspector.sees("/signals", **PERIOD)
    assert (told["from"], told["to"]) == (PERIOD["from"], PERIOD["to"])
    sums = [sum(one["counts"].values()) for one in told["units"]]
    assert sums == sorted(sums, reverse=True)
    assert min(sums) > 0
    shown = {one["unit_code"]: one for one in told["units"]}
    for code in ("500153003007", "500153003"):
        alone = await inspector.sees(f"/units/{code}/signals", **PERIOD)
        assert shown[code] == {name: alone[name] for name in shown[code]}, code
    too_long = await inspector.get("/signals", **{"from": "2026-01-01", "to": "2026-06-30"})
    assert too_long.status_code == 422
    for account in ("gongnong", "guangshun_head", "ronglong", "admin"):
        assert (await (await who(account)).get("/signals")).status_code == 403, account


async def test_hand_back_that_was_agreed_to_is_a_return_of_the_unit_that_asked(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    lead = await who("ronglong")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding=LONG)
    await clerk.does(f"/cases/{ref}/escalate", finding=f"街道核实：{LONG}")
    task = {"lead": {"unit_code": "500153100", "task": "恢复供水"}}
    await center.does(f"/cases/{ref}/dispatch", **task)
    await lead.does(f"/cases/{ref}/hand-back", reason="不在本镇")
    settled = {"unit_code": "500153100", "agreed": True, "reason": "核查权属"}
    await center.does(f"/cases/{ref}/settle", **settled)
    await center.does(f"/cases/{ref}/dispatch", **task)
    told = await center.sees(f"/cases/{ref}/signals")
    assert [(one["signal"], one["unit_code"]) for one in told["facts"]] == [
        ("returned", "500153100"),
        ("ping_pong", "500153ZH"),
    ]
    await lead.does(f"/cases/{ref}/hand-back", reason="不在本镇")
    await center.does(f"/cases/{ref}/settle", unit_code="500153100", agreed=False, reason="属本镇")
    assert (await center.sees(f"/cases/{ref}/signals")) == told


async def test_what_a_unit_withdraws_for_the_reporter_is_counted(who: Who) -> None:
    cadre, center = await who("gongnong"), await who("zhihui")
    before = (await center.sees("/units/500153003007/signals"))["counts"]["withdrawn"]
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/withdraw", reason="群众说不用了")
    facts = (await center.sees(f"/cases/{ref}/signals"))["facts"]
    assert [(one["signal"], one["unit_code"]) for one in facts] == [("withdrawn", "500153003007")]
    after = (await center.sees("/units/500153003007/signals"))["counts"]["withdrawn"]
    assert after == before + 1


async def test_signals_are_for_those_who_look_over_the_county(who: Who) -> None:
    ref = await (await who("gongnong")).registers()
    for account in ("gongnong", "guangshun_head", "ronglong", "admin"):
        person = await who(account)
        for path in (f"/cases/{ref}/signals", "/units/500153003/signals"):
            answer = await person.get(path)
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-permitted")
    for account in ("zhihui", "ducha", "jiwei", "lingdao"):
        person = await who(account)
        assert (await person.sees(f"/cases/{ref}/signals"))["facts"] == []
        absent = await person.get(f"/cases/{ABSENT}/signals")
        assert absent.status_code == 404
        assert (await person.get("/units/500999100/signals")).status_code == 404


async def test_signals_of_a_sealed_case_are_there_for_its_inspector_alone(who: Who) -> None:
    before = (await (await who("ducha")).get("/signals")).content
    ref = await (await who("gongnong")).registers(kind="accusation", title="检举", person=None)
    assert (await (await who("ducha")).get("/signals")).content == before
    for account in ("zhihui", "ducha", "lingdao"):
        person = await who(account)
        hidden, absent = [await person.get(f"/cases/{one}/signals") for one in (ref, ABSENT)]
        assert (hidden.status_code, hidden.content) == (404, absent.content), account
    assert (await (await who("jiwei")).sees(f"/cases/{ref}/signals"))["facts"] == []
