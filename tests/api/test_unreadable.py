"""What the staff's pages show of personal data that was changed in the database."""

from sqlalchemy import text

from app.db import OWNER, transaction
from tests.api.conftest import Who

_SWAP = text("""
UPDATE citizen c SET phone_sealed = n.name_sealed
FROM grievance g JOIN person_as_given n ON n.case_id = g.id WHERE g.ref = :ref AND c.id = g.citizen_id""")


async def test_a_number_moved_to_another_column_is_not_shown(who: Who) -> None:
    cadre = await who("gongnong")
    number = "13896005671"
    ref = await cadre.registers(person={"name": "张三娘", "phone": number})
    path = f"/cases/{ref}"
    assert (await cadre.sees(path))["reporter"]["phone"] == f"+86{number}"
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(_SWAP, ref=ref)
    seen = await cadre.get(path)
    assert seen.status_code == 200
    assert number not in seen.text
    assert seen.json()["reporter"] == {"name": "张三娘", "phone": "（无法读取）"}
