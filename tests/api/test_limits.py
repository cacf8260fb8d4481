"""The limits over HTTP: everybody in the county looks and tries them out, only the administrator edits."""

from typing import Any

import pytest
import pytest_asyncio

from tests.api.conftest import Who
from tests.people import Person

REASON = {"reason": "县政府办公会议纪要"}
# Of kinds and units that no other test's cases have.
PLACE = {"stage": "supervised_reply", "tier": "city", "kind": "suggestion", "urgent": True}
RULE = {**PLACE, "limit": "7wd", "remind_before": 2, "yellow_after": "1wd", "red_after": "6wd"}


@pytest_asyncio.fixture
async def admin(who: Who) -> Person:
    return await who("admin")


async def preview(person: Person, **asked: object) -> Any:
    return await person.sees("/limits/preview", **asked)


async def test_everybody_in_the_county_sees_the_limits_in_words(who: Who) -> None:
    for account in ("gongnong", "lingdao", "admin"):
        told = await (await who(account)).sees("/limits")
        by_name = {one["name"]: one for one in told["defaults"]}
        complaint = by_name["default/handle/complaint"]
        assert complaint["about"] == "办理 · 投诉"
        assert (
            complaint["told"]
            == "10 个工作日；到期前 5 个工作日提醒；到期发黄牌；逾期 5 个工作日发红牌"
        )
        assert by_name["default/judge/urgent"]["told"] == "当日；到期发黄牌；逾期 1 个工作日发红牌"
        whole = by_name["default/whole/help"]
        assert (whole["told"], whole["yellow_after"]) == (
            "30 个工作日；到期前 5 个工作日提醒；不发牌",
            None,
        )


@pytest.mark.parametrize(
    ("path", "body"),
    [("/limits/rules", {**RULE, **REASON}), ("/limits/rules/withdraw", {**PLACE, **REASON})],
)
async def test_nobody_but_the_administrator_edits(
    who: Who, path: str, body: dict[str, object]
) -> None:
    before = await (await who("admin")).sees("/limits")
    for account in ("gongnong", "zhihui_head", "ducha", "lingdao"):
        answer = await (await who(account)).post(path, body)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-permitted")
    assert await (await who("admin")).sees("/limits") == before


async def test_administrator_sets_a_rule_and_withdraws_it(admin: Person) -> None:
    before = await admin.sees("/limits")
    said = await admin.does("/limits/rules", **RULE, **REASON)
    assert said["version"] == before["version"] + 1
    assert said["rule"]["name"] == f"v{said['version']}/supervised_reply/suggestion/urgent/city"
    assert said["rule"]["about"] == "督办回复 · 建议 · 紧急 · 市"
    assert said["rule"]["told"] == (
        "7 个工作日；到期前 2 个工作日提醒；逾期 1 个工作日发黄牌；逾期 6 个工作日发红牌"
    )
    shown = await admin.sees("/limits")
    assert said["rule"] in shown["rules"]
    assert shown["defaults"] == before["defaults"]
    again = await admin.post("/limits/rules", {**RULE, **REASON})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/nothing-changed")
    withdrawn = await admin.does("/limits/rules/withdraw", **PLACE, **REASON)
    assert withdrawn == {"version": before["version"] + 2}
    assert (await admin.sees("/limits"))["rules"] == before["rules"]
    gone = await admin.post("/limits/rules/withdraw", {**PLACE, **REASON})
    assert (gone.status_code, gone.json()["type"]) == (409, "/problems/nothing-changed")


async def test_rule_for_a_category_holds_below_it_and_is_told_by_its_path(admin: Person) -> None:
    top = next(one for one in await admin.sees("/categories") if one["children"])
    place = {"stage": "supervised_reply", "tier": "city", "category_id": top["id"]}
    said = await admin.does("/limits/rules", **place, limit="8wh", **REASON)
    assert said["rule"]["about"] == f"督办回复 · {top['path']} · 市"
    asked = {"stage": "supervised_reply", "tier": "city", "kind": "help", "received": "2025-09-26T10:00:00+08:00"}  # fmt: skip
    below = await preview(admin, **asked, category_id=top["children"][0]["id"])
    assert below["rule"] == said["rule"]
    assert below["due"] == "2025-09-28T11:00:00+08:00"
    assert (below["remind"], below["red"]) == (None, None)
    elsewhere = await preview(admin, **asked)
    assert elsewhere["rule"]["name"] == "default/supervised_reply"
    await admin.does("/limits/rules/withdraw", **place, **REASON)


async def test_same_change_sent_twice_makes_one_version(admin: Person) -> None:
    body = {**RULE, "limit": "9wd", **REASON}
    first = await admin.post("/limits/rules", body, key="limits-once")
    second = await admin.post("/limits/rules", body, key="limits-once")
    assert first.is_success
    assert second.headers["idempotent-replay"] == "true"
    assert second.json() == first.json()
    await admin.does("/limits/rules/withdraw", **PLACE, **REASON)


async def test_preview_says_when_what_happens_by_the_countys_calendar(who: Who) -> None:
    cadre = await who("gongnong")
    told = await preview(
        cadre, stage="handle", tier="township", kind="suggestion", received="2025-09-26T10:00:00+08:00"
    )  # fmt: skip
    assert told["rule"]["name"] == "default/handle/suggestion"
    assert {name: told[name] for name in ("remind", "due", "yellow", "red", "provisional")} == {
        "remind": "2025-09-30T09:00:00+08:00",
        "due": "2025-10-10T23:59:59+08:00",
        "yellow": "2025-10-10T23:59:59+08:00",
        "red": "2025-10-16T23:59:59+08:00",
        "provisional": False,
    }


async def test_preview_of_same_day_reminds_of_nothing_and_whole_case_gives_no_cards(
    who: Who,
) -> None:
    cadre = await who("gongnong")
    asked = {"kind": "help", "urgent": "true", "received": "2025-09-26T02:00:00Z"}
    urgent = await preview(cadre, stage="judge", tier="village", **asked)
    assert (urgent["due"], urgent["remind"]) == ("2025-09-26T23:59:59+08:00", None)
    assert urgent["red"] == "2025-09-28T23:59:59+08:00"
    sign = await preview(cadre, stage="sign", **asked)
    assert (sign["due"], sign["remind"]) == ("2025-09-28T23:59:59+08:00", None)
    whole = await preview(cadre, stage="whole", **asked)
    assert whole["due"] == "2025-10-10T23:59:59+08:00"
    assert (whole["yellow"], whole["red"]) == (None, None)


async def test_preview_into_a_year_not_published_is_provisional(who: Who) -> None:
    told = await preview(
        await who("gongnong"), stage="sign", kind="help", received="2071-12-02T10:00:00+08:00"
    )
    assert told["provisional"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"limit": "9999wd"}, "数值"),
        ({"limit": "400d"}, "太长"),
        ({"red_after": "1wd"}, "晚于黄牌"),
        ({"remind_before": 8}, "提前量"),
        ({"stage": "whole"}, "不分层级"),
        ({"category_id": 2**31 - 1}, "没有这个分类"),
        ({"limit": "1.5wd"}, ""),
        ({"stage": "sleep"}, ""),
        ({"tier": "galaxy"}, ""),
        ({"reason": ""}, ""),
        ({"remind_before": -1}, ""),
    ],
)
async def test_rule_that_is_none_is_refused(
    admin: Person, wrong: dict[str, object], told: str
) -> None:
    before = await admin.sees("/limits")
    answer = await admin.post("/limits/rules", {**RULE, **REASON, **wrong})
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert await admin.sees("/limits") == before


async def test_everybody_reads_who_changed_the_limits_when_and_why(who: Who, admin: Person) -> None:
    said = await admin.does("/limits/rules", **RULE, **REASON)
    withdrawn = await admin.does("/limits/rules/withdraw", **PLACE, reason="改回默认")
    found = await (await who("gongnong")).sees("/limits/changes", size=2)
    told = [
        (one["version"], one["staff"], one["reason"], one["withdrawn"]) for one in found["items"]
    ]
    assert told == [
        (withdrawn["version"], "谢文静", "改回默认", True),
        (said["version"], "谢文静", REASON["reason"], False),
    ]
    assert found["items"][1]["rule"] == said["rule"]
    older = await admin.sees("/limits/changes", before=said["version"], size=1)
    assert all(one["version"] < said["version"] for one in older["items"])
