"""The administrator decides for which units only the head answers; each decision is on record, and holds at once."""

from app.directory.terms import Role, UnitKind
from tests.api.conftest import As, Who
from tests.units import Held, employed, staffed

TOWNSHIP = "500153003"
ANSWER = {"outcome": "solved", "answer": "已换灯泡"}


async def village_with_head() -> tuple[str, str]:
    """The code of a village, which is its cadre's account, and the account of its head."""
    code = await staffed(UnitKind.VILLAGE, Role.VILLAGE_CADRE, TOWNSHIP)
    return code, await employed(Held(code, Role.UNIT_HEAD))


async def test_only_the_head_answers_once_the_administrator_says_so(who: Who, acting: As) -> None:
    code, head_account = await village_with_head()
    cadre, head, admin = await acting(code), await acting(head_account), await who("admin")
    ref, later = await cadre.registers(), await cadre.registers()
    await cadre.does(f"/cases/{ref}/handle")
    set_now = await admin.does(f"/units/{code}/head-approval", required=True, reason="村委会决定")
    assert (set_now["required"], len(set_now["changes"])) == (True, 1)
    assert "answer" not in (await cadre.sees(f"/cases/{ref}"))["actions"]
    assert "answer" not in (await cadre.does(f"/cases/{later}/handle"))["actions"]
    refused = await cadre.post(f"/cases/{ref}/answer", ANSWER)
    assert (refused.status_code, "须由单位负责人作出" in refused.json()["detail"]) == (409, True)
    assert "answer" in (await head.sees(f"/cases/{ref}"))["actions"]
    assert (await head.does(f"/cases/{ref}/answer", **ANSWER))["phase"] == "answered"


async def test_each_change_is_on_record_with_its_reason(who: Who) -> None:
    code, _ = await village_with_head()
    admin, path = await who("admin"), f"/units/{code}/head-approval"
    await admin.does(path, required=True, reason="村委会决定")
    await admin.does(path, required=False, reason="负责人长期外出")
    seen = await (await who("ducha")).sees(path)
    assert seen["required"] is False
    assert [(one["required"], one["reason"], one["decided_by"]) for one in seen["changes"]] == [
        (False, "负责人长期外出", "谢文静"),
        (True, "村委会决定", "谢文静"),
    ]
    again = await admin.post(path, {"required": False, "reason": "再说一次"})
    assert again.status_code == 422


async def test_unit_without_head_is_refused(who: Who) -> None:
    code = await staffed(UnitKind.VILLAGE, Role.VILLAGE_CADRE, TOWNSHIP)
    path = f"/units/{code}/head-approval"
    refused = await (await who("admin")).post(path, {"required": True, "reason": "决定"})
    assert (refused.status_code, "没有在任的单位负责人" in refused.json()["detail"]) == (422, True)
    assert (await (await who("admin")).sees(path))["required"] is False


async def test_nobody_but_the_countys_administrator_decides(who: Who) -> None:
    code, _ = await village_with_head()
    body = {"required": True, "reason": "决定"}
    for account in ("gongnong", "guangshun_head", "zhihui", "zhihui_head", "ducha", "lingdao"):
        somebody = await who(account)
        assert (await somebody.post(f"/units/{code}/head-approval", body)).status_code == 403
    admin = await who("admin")
    for absent in ("500112", "999999"):
        assert (await admin.post(f"/units/{absent}/head-approval", body)).status_code == 404
