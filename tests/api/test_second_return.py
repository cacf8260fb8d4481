"""The second return of a case is the command center's to decide: two units do not pass it back and forth."""

from typing import Any

from tests.api.conftest import Who

CENTER, TOWNSHIP, VILLAGE = "荣昌区群工系统指挥中心", "广顺街道", "500153003007"
WHY = "已到现场核实，供水主管在荣隆镇，社区无法协调"


async def returned_twice(who: Who) -> tuple[str, dict[str, Any]]:
    """Sent down twice by the township; the case as the second time left it."""
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    state: dict[str, Any] = {}
    for time in ("一", "二"):
        await cadre.does(f"/cases/{ref}/escalate", finding=f"{WHY}（第{time}次）")
        state = await clerk.does(f"/cases/{ref}/send-down", to_code=VILLAGE, reason="属社区职责")
    return ref, state


async def test_second_send_down_goes_to_the_command_center(who: Who) -> None:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding=WHY)
    first = await clerk.does(f"/cases/{ref}/send-down", to_code=VILLAGE, reason="属社区职责")
    assert (first["holder"], first["returns"]) == ("工农茶叶产业社区居民委员会", 1)
    assert (await cadre.does(f"/cases/{ref}/escalate", finding=WHY + "。"))["holder"] == TOWNSHIP
    second = await clerk.does(f"/cases/{ref}/send-down", to_code=VILLAGE, reason="属社区职责")
    assert (second["holder"], second["returns"], second["phase"]) == (CENTER, 2, "pending")
    center = await who("zhihui")
    assert ref in await center.lists("to_judge")
    entry = (await center.sees(f"/cases/{ref}"))["timeline"][-1]
    assert (entry["action"], entry["to"]) == ("send_down", CENTER)
    paper = (await center.sees(f"/cases/{ref}"))["papers"][-1]
    assert CENTER in (await center.get(f"/cases/{ref}/papers/{paper['id']}")).text


async def test_center_decides_and_what_it_sends_down_comes_back_to_it(who: Who) -> None:
    ref, state = await returned_twice(who)
    assert state["holder"] == CENTER
    down = await (await who("zhihui")).does(
        f"/cases/{ref}/send-down", to_code=VILLAGE, reason="由社区先送水"
    )
    assert down["holder"] == "工农茶叶产业社区居民委员会"
    up = await (await who("gongnong")).does(f"/cases/{ref}/escalate", finding="已送水，管网仍坏")
    assert up["holder"] == CENTER


async def test_case_returned_once_by_the_center_goes_through_the_township(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding=WHY)
    await clerk.does(f"/cases/{ref}/escalate", finding="街道无法协调")
    await center.does(f"/cases/{ref}/send-down", to_code="500153003", reason="先核实")
    again = await clerk.does(f"/cases/{ref}/escalate", finding="已核实，街道无法协调")
    assert again["holder"] == CENTER
    twice = await center.does(f"/cases/{ref}/send-down", to_code="500153003", reason="再核实")
    assert (twice["holder"], twice["returns"]) == (TOWNSHIP, 2)


async def test_second_hand_back_is_decided_by_the_command_center(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding=WHY)
    await clerk.does(f"/cases/{ref}/escalate", finding="街道无法协调")
    for account, code in (("ronglong", "500153100"), ("shuiwu", "500153D11")):
        await center.does(f"/cases/{ref}/dispatch", lead={"unit_code": code})
        await (await who(account)).does(f"/cases/{ref}/hand-back", reason="不属本单位")
        state = await center.does(
            f"/cases/{ref}/settle", unit_code=code, agreed=True, reason="属实"
        )
        assert (state["holder"], state["phase"]) == (CENTER, "pending")
    assert (await center.sees(f"/cases/{ref}"))["returns"] == 2
