"""Sessions are listed and ended by their owner, and end by themselves."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from app import clock, db
from app.auth import sessions
from tests.auth.conftest import PASSWORD, At, Person, letters, rows

APerson = Callable[..., Awaitable[Person]]
SESSIONS = "/api/v1/sessions"
_RUN_OUT = text("UPDATE post SET valid_to = CURRENT_DATE - 1 WHERE staff_id = :id")


async def signed_in(at: At, person: Person, **more: object) -> tuple[dict[str, str], str]:
    """The header and the id of a new session."""
    answer = await at().post(
        SESSIONS, json={"account": person.account, "password": PASSWORD, **more}
    )
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return {"Authorization": f"Bearer {told['token']}"}, told["session_id"]


async def test_one_sees_where_one_is_signed_in(at: At, a_person: APerson) -> None:
    person = await a_person()
    await signed_in(at, await a_person())
    _, first = await signed_in(at, person, device="值班室电脑")
    header, second = await signed_in(at, person)
    listed = (await at().get(SESSIONS, headers=header)).json()["sessions"]
    assert [one["id"] for one in listed] == [second, first]
    assert [one["current"] for one in listed] == [True, False]
    assert listed[1]["device"] == "值班室电脑"
    assert listed[0]["device"].startswith("python-httpx")
    assert listed[0]["unit_name"] == "广顺街道"


async def test_session_ended_from_elsewhere_is_refused_at_once(at: At, a_person: APerson) -> None:
    person = await a_person()
    lost, lost_id = await signed_in(at, person)
    header, _ = await signed_in(at, person)
    assert (await at().get(f"{SESSIONS}/me", headers=lost)).status_code == 200
    ended = await at().delete(f"{SESSIONS}/{lost_id}", headers=header)
    assert (ended.status_code, ended.content) == (204, b"")
    assert (await at().get(f"{SESSIONS}/me", headers=lost)).status_code == 401
    assert (await at().delete(f"{SESSIONS}/{lost_id}", headers=header)).status_code == 404
    assert len((await at().get(SESSIONS, headers=header)).json()["sessions"]) == 1


async def test_somebody_elses_session_is_not_there(at: At, a_person: APerson) -> None:
    theirs, their_id = await signed_in(at, await a_person())
    header, _ = await signed_in(at, await a_person())
    answer = await at().delete(f"{SESSIONS}/{their_id}", headers=header)
    nowhere = await at().delete(f"{SESSIONS}/{uuid4()}", headers=header)
    assert answer.status_code == 404
    assert answer.content == nowhere.content
    assert (await at().get(f"{SESSIONS}/me", headers=theirs)).status_code == 200


async def test_signing_out_ends_the_session_and_takes_the_cookie(at: At, a_person: APerson) -> None:
    person, client = await a_person(), at()
    answer = await client.post(SESSIONS, json={"account": person.account, "password": PASSWORD})
    assert (await client.delete(f"{SESSIONS}/current")).status_code == 204
    # What the device is called stays: it is known, and signed in no more.
    assert set(client.cookies) == {"qungong_device"}
    header = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert (await at().get(f"{SESSIONS}/me", headers=header)).status_code == 401


async def test_staff_session_ends_after_twelve_hours(at: At, a_person: APerson) -> None:
    header, _ = await signed_in(at, await a_person())
    with clock.moved(timedelta(hours=11, minutes=59)):
        assert (await at().get(f"{SESSIONS}/me", headers=header)).status_code == 200
    with clock.moved(timedelta(hours=12, seconds=1)):
        assert (await at().get(f"{SESSIONS}/me", headers=header)).status_code == 401


async def test_no_token_a_forged_token_and_a_malformed_one_are_refused(at: At) -> None:
    for authorization in ("", "Bearer", f"Bearer {letters(40)}", "Bearer \xff", "Basic YTpi"):
        header = [(b"authorization", authorization.encode("latin-1"))]
        answer = await at().get(f"{SESSIONS}/me", headers=header)
        assert answer.status_code == 401, authorization
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_token_does_not_stand_in_the_database(at: At, a_person: APerson) -> None:
    person = await a_person()
    header, _ = await signed_in(at, person)
    token = header["Authorization"].removeprefix("Bearer ")
    ((stored,),) = await rows(
        "SELECT CAST(s AS text) FROM session s WHERE staff_id = :id", id=person.id
    )
    assert token not in str(stored)
    assert token.encode().hex() not in str(stored)


async def test_sessions_long_ended_are_forgotten(at: At, a_person: APerson) -> None:
    person = await a_person()
    await signed_in(at, person)
    for later, remaining in ((timedelta(days=89), 1), (timedelta(days=91), 0)):
        with clock.moved(later):
            async with db.transaction() as tx:
                await sessions.forget_old(tx)
        assert (
            len(await rows("SELECT 1 FROM session WHERE staff_id = :id", id=person.id)) == remaining
        )


@pytest.mark.parametrize(
    ("changes", "back"),
    [
        ("UPDATE staff SET active = false WHERE id = :id", "UPDATE staff SET active = true WHERE id = :id"),
        ("UPDATE staff SET password_hash = password_hash || '=' WHERE id = :id",
         "UPDATE staff SET password_hash = left(password_hash, -1) WHERE id = :id"),
        ("UPDATE post SET valid_to = CURRENT_DATE - 1 WHERE staff_id = :id",
         "UPDATE post SET valid_to = NULL WHERE staff_id = :id"),
        ("UPDATE post SET valid_from = CURRENT_DATE + 1 WHERE staff_id = :id",
         "UPDATE post SET valid_from = CURRENT_DATE - 9 WHERE staff_id = :id"),
    ],
    ids=["disabled", "another password", "post ended", "post moved"],
)  # fmt: skip
async def test_session_does_not_revive_when_what_ended_it_is_undone(
    at: At, a_person: APerson, changes: str, back: str
) -> None:
    person, bystander = await a_person(), await a_person()
    header, _ = await signed_in(at, person)
    other, _ = await signed_in(at, bystander)
    for statement in (changes, back):
        await rows(f"{statement} RETURNING 1", id=person.id)
        assert (await at().get(f"{SESSIONS}/me", headers=header)).status_code == 401
    assert (await at().get(f"{SESSIONS}/me", headers=other)).status_code == 200
    anew, _ = await signed_in(at, person)
    assert (await at().get(f"{SESSIONS}/me", headers=anew)).status_code == 200


async def test_session_does_not_revive_when_a_post_that_ran_out_is_prolonged(
    at: At, a_person: APerson
) -> None:
    person = await a_person()
    header, _ = await signed_in(at, person)
    # As on the day after its last: nobody changes a post at the moment it runs out.
    async with db.transaction() as tx:
        await tx.act_as(db.OWNER)
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(_RUN_OUT, id=person.id)
    assert (await at().get(f"{SESSIONS}/me", headers=header)).status_code == 401
    await rows("UPDATE post SET valid_to = NULL WHERE staff_id = :id RETURNING 1", id=person.id)
    assert (await at().get(f"{SESSIONS}/me", headers=header)).status_code == 401


async def test_session_stays_when_a_post_will_end_later(at: At, a_person: APerson) -> None:
    person = await a_person()
    header, _ = await signed_in(at, person)
    await rows(
        "UPDATE post SET valid_to = CURRENT_DATE + 30 WHERE staff_id = :id RETURNING 1",
        id=person.id,
    )
    await rows("UPDATE staff SET name = '张敏敏' WHERE id = :id RETURNING 1", id=person.id)
    assert (await at().get(f"{SESSIONS}/me", headers=header)).status_code == 200
