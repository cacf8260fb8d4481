"""The clocks of a case: each unit by its own tier's limits."""

from tests.api.about_time import led_by_the_township
from tests.api.conftest import Who


async def test_a_refused_objection_has_the_unit_sign_by_its_own_tiers_limit(who: Who) -> None:
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
