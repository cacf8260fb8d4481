"""并案: what becomes of a case that others joined concerns them all, and is no longer one person's to take back."""

import pytest
from sqlalchemy import text

from app.db import transaction
from tests.api.about_time import led_by_the_village, refused
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.people import Person
from tests.surveys.conftest import new_phone

_TOLD = text("""
SELECT m.kind, array_agg(g.ref ORDER BY g.ref) AS refs FROM outbox_message m JOIN grievance g ON g.id = m.case_id
WHERE g.ref = ANY(:refs) AND m.kind NOT IN ('receipt', 'merged', 'survey_owed') GROUP BY m.kind
""")


async def three(cadre: Person, center: Person) -> list[str]:
    """The primary case, one that joined it, and one that had joined that one."""
    primary, between, last = [
        await cadre.registers(person={"name": "王大爷", "phone": new_phone()}) for _ in range(3)
    ]
    await center.does(f"/cases/{last}/merge", primary_ref=between, reason="同一件事")
    await center.does(f"/cases/{between}/merge", primary_ref=primary, reason="同一件事")
    return [primary, between, last]


async def told(refs: list[str]) -> dict[str, list[str]]:
    async with transaction() as tx:
        return {row.kind: row.refs for row in await tx.all(_TOLD, refs=refs)}


async def test_everybody_who_joined_is_told_what_the_reporter_is_told(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    refs = await three(cadre, center)
    primary = refs[0]
    await cadre.does(f"/cases/{primary}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{primary}/handle")
    await clerk.does(f"/cases/{primary}/progress", report="已找到漏点", tell_reporter=True)
    await clerk.does(f"/cases/{primary}/extend", days=5, reason="须停水施工")
    await center.does(f"/cases/{primary}/decide-extension", granted=True, reason="避开高考")
    everybody = sorted(refs)
    assert await told(refs) == dict.fromkeys(("moved", "progress", "extended"), everybody)


async def test_everybody_who_joined_is_told_that_it_was_declined(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    refs = await three(cadre, center)
    await cadre.does(f"/cases/{refs[0]}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{refs[0]}/decline", reason="已进入诉讼", basis="《信访工作条例》")
    assert (await told(refs))["declined"] == sorted(refs)


async def test_what_others_joined_is_not_one_persons_to_withdraw(who: Who) -> None:
    cadre, center = await who("gongnong"), await who("zhihui")
    refs = await three(cadre, center)
    refused = await cadre.post(f"/cases/{refs[0]}/withdraw", {"reason": "已自行解决"})
    assert refused.status_code == 409
    assert "并入" in refused.json()["detail"]
    assert "withdraw" not in (await cadre.sees(f"/cases/{refs[0]}"))["actions"]
    alone = await cadre.registers()
    assert "withdraw" in (await cadre.sees(f"/cases/{alone}"))["actions"]


@pytest.mark.parametrize(
    ("pressed", "released"),
    [("list", ("lingdao", "unlist")), ("supervise", ("gongnong", "reply-supervision"))],
)
async def test_what_is_supervised_or_listed_is_lost_by_no_merging(
    who: Who, pressed: str, released: tuple[str, str]
) -> None:
    cadre, center, leader = await who("gongnong"), await who("zhihui"), await who("lingdao")
    watched, plain, later = [await led_by_the_village(who) for _ in range(3)]
    await leader.does(f"/cases/{watched}/{pressed}", **(BODIES[pressed] or {}))
    told = await refused(center, watched, "merge", primary_ref=plain)
    assert "请把别的事件并入这件，或先回复督办、摘牌" in told
    assert "merge" not in (await center.sees(f"/cases/{watched}"))["actions"]
    # The other way round all stays as it was.
    before = await cadre.sees(f"/cases/{watched}")
    await center.does(f"/cases/{plain}/merge", primary_ref=watched, reason="同一件事")
    after = await cadre.sees(f"/cases/{watched}")
    assert (after["listed_at"], after["clocks"]) == (before["listed_at"], before["clocks"])
    account, release = released
    await (await who(account)).does(f"/cases/{watched}/{release}", **(BODIES[release] or {}))
    await center.does(f"/cases/{watched}/merge", primary_ref=later, reason="同一件事")
