"""What the staff's pages show of personal data that was changed in the database."""

from uuid import UUID, uuid4

from sqlalchemy import text

from app.db import OWNER, reading, transaction
from tests.api.conftest import Who
from tests.people import WATER

_SWAP = text("""
UPDATE citizen c SET phone_sealed = n.name_sealed
FROM grievance g JOIN person_as_given n ON n.matter_id = g.id WHERE g.ref = :ref AND c.id = g.citizen_id""")

_MOVE_NUMBER = text("""
UPDATE official_number n SET phone_sealed = c.phone_sealed FROM (SELECT phone_sealed FROM citizen LIMIT 1) c WHERE n.id = :id""")
_LOGGED = text("SELECT last_four FROM official_number_change WHERE number_id = :id AND change = 'removed'")  # fmt: skip
_MOVE_ANSWERS = text("""
UPDATE given_answer SET body_sealed = (SELECT phone_sealed FROM citizen LIMIT 1) WHERE key = :key""")


async def test_official_number_that_is_unreadable_is_listed_and_can_be_removed(who: Who) -> None:
    cadre, admin = await who("gongnong"), await who("admin")
    await cadre.registers(person={"name": "张三娘", "phone": "13896005672"})
    entered = await admin.does("/official-numbers", phone="13896005673", account="gongnong")
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(_MOVE_NUMBER, id=UUID(entered["id"]))
    listed = (await admin.sees("/official-numbers", size=200))["items"]
    assert {one["id"]: one["phone"] for one in listed}[entered["id"]] == "（无法读取）"
    await admin.does(f"/official-numbers/{entered['id']}/remove")
    async with reading() as tx:
        assert await tx.scalar(_LOGGED, id=UUID(entered["id"])) == ""


async def test_kept_answer_that_is_unreadable_is_refused_in_words(who: Who) -> None:
    cadre, key = await who("gongnong"), uuid4().hex
    assert (await cadre.post("/cases", WATER, key=key)).status_code == 201
    async with transaction() as tx:
        await tx.act_as(OWNER)
        assert await tx.execute(_MOVE_ANSWERS, key=key) == 1
    refused = await cadre.post("/cases", WATER, key=key)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "/problems/stored-data-unreadable",
    )


async def test_number_moved_to_another_column_is_not_shown(who: Who) -> None:
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
