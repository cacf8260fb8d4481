"""Two clocks and the law's beside them: who joins, returns or objects gets no time anew, and each unit its own tier's."""

from datetime import datetime, timedelta

from fastapi import FastAPI

from app import clock
from app.calendars.working_time import Limit, WorkingCalendar
from tests import people
from tests.api.about_time import clock_of, led_by_the_township, led_by_the_village, verifies
from tests.api.conftest import Who
from tests.cards import cards_of, swept
from tests.people import Person

WHOLE_CASE_STAGES = ("whole", "statutory")


def law(received: datetime, written: str) -> datetime | None:
    return WorkingCalendar(0).due(received, Limit.parse(written)).at


async def going_on(person: Person, ref: str, stage: str) -> tuple[str, str, str]:
    """Since when and until when the one clock of that stage runs, and by which rule."""
    clocks = (await person.sees(f"/cases/{ref}"))["clocks"]
    (one,) = (one for one in clocks if one["stage"] == stage and one["ended_at"] is None)
    return one["started_at"], one["due_at"], one["rule"]


async def running(person: Person, ref: str) -> set[str]:
    clocks = (await person.sees(f"/cases/{ref}"))["clocks"]
    return {one["stage"] for one in clocks if one["ended_at"] is None}


async def test_laws_limits_run_beside_the_countys_from_receipt_on(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    inform, handle = await clock_of(cadre, ref, "inform"), await clock_of(cadre, ref, "statutory")
    received = inform["started_at"]
    assert (inform["due_at"], handle["due_at"]) == (law(received, "15d"), law(received, "60d"))
    assert (inform["stage_label"], handle["stage_label"]) == ("法定告知", "法定办理")
    assert (inform["rule"], handle["rule"]) == ("default/inform", "default/statutory")
    assert (inform["red_at"], handle["red_at"]) == (None, None), "nobody is carded for them"
    detail = await cadre.sees(f"/cases/{ref}")
    assert datetime.fromisoformat(detail["statutory_due_at"]) == handle["due_at"]
    # Passing it up neither informs nor begins anything anew; taking it up informs.
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    clerk = await who("guangshun")
    assert await clock_of(clerk, ref, "inform") == inform
    await clerk.does(f"/cases/{ref}/handle")
    assert await running(clerk, ref) == {"handle", "whole", "statutory"}
    assert await clock_of(clerk, ref, "statutory") == handle
    await clerk.does(f"/cases/{ref}/answer", outcome="solved", answer="已恢复供水")
    assert await running(clerk, ref) == set()
    assert await verifies(ref)


async def test_who_objects_to_a_refusal_gets_the_laws_limit_back_as_it_was(who: Who) -> None:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    before = [await clock_of(clerk, ref, stage) for stage in WHOLE_CASE_STAGES]
    await clerk.does(f"/cases/{ref}/decline", reason="已进入诉讼", basis="《信访工作条例》")
    assert await running(clerk, ref) == set()
    await cadre.does(f"/cases/{ref}/object-refusal", reason="没有诉讼")
    assert [await clock_of(clerk, ref, stage) for stage in WHOLE_CASE_STAGES] == before
    # That it was refused, the reporter was told in time.
    assert await running(clerk, ref) == {"judge", *WHOLE_CASE_STAGES}
    assert await verifies(ref)


async def test_that_the_law_has_been_missed_is_on_record_and_no_card(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await led_by_the_village(who)
    over = await clock_of(cadre, ref, "statutory")
    await swept(ref, stage="statutory")
    last = (await cadre.sees(f"/cases/{ref}"))["timeline"][-1]
    assert (last["action"], last["data"]["stage"], last["data"]["over"]) == ("remind", "statutory", True)  # fmt: skip
    assert datetime.fromisoformat(last["data"]["due"]) == over["due_at"]
    assert await cards_of(ref) == []


async def joined(who: Who, api: FastAPI, *, later: str) -> tuple[str, str]:
    """Two cases, the second told twenty days after the first; `later` says which of them is the primary one."""
    cadre = await who("gongnong")
    first = await cadre.registers()
    with clock.moved(timedelta(days=20)):
        async with (
            people.signed_in(api, "gongnong") as then,
            people.signed_in(api, "zhihui") as center,
        ):
            second = await then.registers()
            primary, other = (second, first) if later == "primary" else (first, second)
            await center.does(f"/cases/{other}/merge", primary_ref=primary, reason="同一小区")
    return primary, other


async def test_case_that_is_joined_to_a_later_one_brings_its_time_along(
    who: Who, api: FastAPI
) -> None:
    cadre = await who("gongnong")
    primary, other = await joined(who, api, later="primary")
    for stage in (*WHOLE_CASE_STAGES, "inform"):
        theirs = (await clock_of(cadre, other, stage)).items()
        began, ends, rule = await going_on(cadre, primary, stage)
        told = {"started_at": datetime.fromisoformat(began), "due_at": datetime.fromisoformat(ends)}
        assert {**told, "rule": rule}.items() <= theirs
    shown, of_the_other = await cadre.sees(f"/cases/{primary}"), await cadre.sees(f"/cases/{other}")
    for name in ("due_at", "statutory_due_at"):
        assert shown[name] == of_the_other[name]
    assert await running(cadre, primary) == {"judge", "inform", *WHOLE_CASE_STAGES}
    assert await running(cadre, other) == set()
    assert await verifies(primary)
    assert await verifies(other)


async def test_case_that_is_joined_to_an_earlier_one_changes_no_clock_of_it(
    who: Who, api: FastAPI
) -> None:
    cadre = await who("gongnong")
    primary, other = await joined(who, api, later="other")
    shown, of_the_other = await cadre.sees(f"/cases/{primary}"), await cadre.sees(f"/cases/{other}")
    assert shown["due_at"] < of_the_other["due_at"]
    assert [one["stage"] for one in shown["clocks"]].count("whole") == 1


async def test_what_was_joined_and_declined_goes_on_by_the_sooner_time(
    who: Who, api: FastAPI
) -> None:
    cadre = await who("gongnong")
    primary, _ = await joined(who, api, later="primary")
    before = [await going_on(cadre, primary, stage) for stage in WHOLE_CASE_STAGES]
    with clock.moved(timedelta(days=21)):
        async with (
            people.signed_in(api, "gongnong") as cadre,
            people.signed_in(api, "guangshun") as clerk,
        ):
            await cadre.does(f"/cases/{primary}/escalate", finding="社区无法解决")
            await clerk.does(f"/cases/{primary}/decline", reason="诉讼中", basis="《信访工作条例》")
            await cadre.does(f"/cases/{primary}/object-refusal", reason="没有诉讼")
            assert before == [await going_on(cadre, primary, stage) for stage in WHOLE_CASE_STAGES]


async def test_refused_objection_has_the_unit_sign_by_its_own_tiers_limit(who: Who) -> None:
    admin, helper, center = await who("admin"), await who("shuiwu"), await who("zhihui")
    place = {"stage": "sign", "tier": "department"}
    await admin.does("/limits/rules", **place, limit="2wd", red_after="5wd", reason="会议纪要")
    try:
        ref = await led_by_the_township(who)
        await helper.does(f"/cases/{ref}/hand-back", reason="不属水务")
        await center.does(
            f"/cases/{ref}/settle", unit_code="500153D11", agreed=False, reason="属水务"
        )
        clocks = (await helper.sees(f"/cases/{ref}"))["clocks"]
    finally:
        await admin.does("/limits/rules/withdraw", **place, reason="会议纪要")
    signing = [one for one in clocks if (one["stage"], one["unit"]) == ("sign", "县水务局")]
    assert [one["ended_at"] is None for one in signing] == [False, True]
    # Though a township leads.
    assert [one["limit"] for one in signing] == ["2 个工作日"] * 2
    assert {one["rule"].partition("/")[2] for one in signing} == {"sign/department"}
