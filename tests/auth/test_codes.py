"""Citizens sign in with a one-time code: what is sent, what a code is good for, and what is never told."""

import asyncio
import json
import secrets
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from app import clock, db, keys
from app.auth import codes
from app.auth.phones import phone_key
from app.texts.outbox import open_params, phone_place
from mobile_api.sign_in import CodeTyped
from tests.auth.conftest import At, a_unit, an_address, letters, rows

ASK, VERIFY, SESSIONS = "/m/v1/sign-up/code", "/m/v1/sign-up/verify", "/m/v1/sessions"


def a_phone() -> str:
    return f"138{secrets.randbelow(10**8):08d}"


async def sent(phone: str) -> list[str]:
    """The codes owed to the phone, in order."""
    found = await rows(
        "SELECT id, phone_sealed, params_sealed FROM outbox_message"
        " WHERE kind = 'one_time_code' ORDER BY created_at, id"
    )
    return [
        open_params(message_id, params)["code"]
        for message_id, sealed, params in found
        if isinstance(message_id, UUID)
        and isinstance(sealed, bytes)
        and isinstance(params, bytes)
        and keys.decrypt(sealed, phone_place(message_id, None)) == f"+86{phone}"
    ]


async def ask(client: httpx.AsyncClient, phone: str) -> httpx.Response:
    return await client.post(ASK, json={"phone": phone})


async def verify(
    client: httpx.AsyncClient, phone: str, code: str, **more: object
) -> httpx.Response:
    return await client.post(VERIFY, json={"phone": phone, "code": code, **more})


async def sign_up(client: httpx.AsyncClient, phone: str, **more: object) -> httpx.Response:
    assert (await ask(client, phone)).status_code == 202
    answer = await verify(client, phone, (await sent(phone))[-1], **more)
    assert answer.status_code == 201, answer.text
    return answer


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def citizens(phone: str) -> list[tuple[object, ...]]:
    return await rows(
        "SELECT id, village_id, phone_sealed FROM citizen WHERE phone_key = :key",
        key=phone_key(f"+86{phone}"),
    )


async def test_new_phone_becomes_a_citizen_of_the_posters_village(at: At) -> None:
    village = letters(12).upper()
    village_id = await a_unit("工农茶叶产业社区", "village", code=village)
    phone, client = a_phone(), at()
    answer = await sign_up(client, phone, village=village)
    ((citizen_id, stored_village, sealed),) = await citizens(phone)
    assert stored_village == village_id
    assert isinstance(sealed, bytes)
    assert keys.decrypt(sealed, keys.at("citizen.phone_sealed", citizen_id)) == f"+86{phone}"
    assert answer.headers["cache-control"] == "no-store"
    listed = (await client.get(SESSIONS)).json()["sessions"]
    assert [one["id"] for one in listed] == [answer.json()["session_id"]]


async def test_who_signs_in_again_stays_the_same_citizen_of_the_same_village(at: At) -> None:
    first, second = letters(12).upper(), letters(12).upper()
    village_id = await a_unit("甲村", "village", code=first)
    await a_unit("乙村", "village", code=second)
    phone = a_phone()
    await sign_up(at(), phone)
    before = await citizens(phone)
    for minutes, village in ((2, first), (4, second)):
        with clock.moved(timedelta(minutes=minutes)):
            await sign_up(at(), phone, village=village)
    ((citizen_id, stored_village, _),) = await citizens(phone)
    assert (citizen_id, stored_village) == (before[0][0], village_id)


async def test_poster_of_a_merged_village_leads_to_its_successor(at: At) -> None:
    old = letters(12).upper()
    new_id = await a_unit("新村", "village")
    old_id = await a_unit("旧村", "village", code=old)
    await rows(
        "UPDATE unit SET valid_to = CURRENT_DATE - 1, successor_id = :new WHERE id = :old",
        new=new_id,
        old=old_id,
    )
    phone = a_phone()
    await sign_up(at(), phone, village=old)
    assert (await citizens(phone))[0][1] == new_id


async def test_unknown_village_is_named_and_costs_no_try(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, phone)
    code = (await sent(phone))[0]
    township = letters(9).upper()
    await a_unit("广顺街道", "township", code=township)
    for village in (letters(12).upper(), township):
        answer = await verify(client, phone, code, village=village)
        assert answer.status_code == 422
        assert answer.json()["mistakes"][0]["where"] == "body.village"
    assert (await verify(client, phone, code)).status_code == 201


async def test_code_works_once(at: At) -> None:
    phone, client = a_phone(), at()
    await sign_up(client, phone)
    again = await verify(client, phone, (await sent(phone))[0])
    assert again.status_code == 401
    assert again.json()["type"] == "/problems/wrong-code"


async def test_code_sent_twice_at_once_opens_one_session(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, phone)
    code = (await sent(phone))[0]
    answers = await asyncio.gather(*(verify(at(), phone, code) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 5
    assert len(await citizens(phone)) == 1


async def test_after_five_wrong_tries_the_right_code_is_refused(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, phone)
    code = (await sent(phone))[0]
    for _ in range(codes.TRIES):
        assert (await verify(client, phone, other_than(code))).status_code == 401
    assert (await verify(at(), phone, code)).status_code == 401
    assert await citizens(phone) == []


async def test_wrong_codes_of_strangers_do_not_void_a_residents_code(at: At) -> None:
    phone, hers = a_phone(), at()
    await ask(hers, phone)
    code = (await sent(phone))[0]
    for _ in range(3 * codes.TRIES):
        assert (await verify(at(), phone, other_than(code))).status_code == 401
    # Beyond theirs a code is good on the device that asked, and there alone.
    assert (await verify(at(), phone, code)).status_code == 401
    assert (await verify(hers, phone, code)).status_code == 201


async def test_code_that_a_stranger_asked_for_leaves_the_residents_own_good(at: At) -> None:
    phone, hers, theirs = a_phone(), at(), at()
    await ask(hers, phone)
    await ask(theirs, phone)
    first, second = await sent(phone)
    for _ in range(codes.TRIES):
        await verify(theirs, phone, other_than(second))
    assert (await verify(hers, phone, first)).status_code == 201


async def test_code_is_good_in_another_browser_of_the_same_phone(at: At) -> None:
    """Asked for in WeChat, typed in the phone's own browser; and for clients that keep no cookies."""
    phone, wechat, browser = a_phone(), at(), at()
    await ask(wechat, phone)
    assert (await verify(browser, phone, (await sent(phone))[0])).status_code == 201


async def test_strangers_asks_do_not_use_up_those_of_a_known_device(at: At) -> None:
    phone, hers = a_phone(), at()
    await sign_up(hers, phone)
    later, got = timedelta(minutes=2), 1
    while got < codes.PER_PHONE[-1].times:
        with clock.moved(later):
            answer = await ask(at(), phone)
        if answer.status_code == 202:
            got += 1
        else:
            later += timedelta(seconds=int(answer.headers["retry-after"]))
    assert later < timedelta(hours=20)
    with clock.moved(later):
        assert (await ask(at(), phone)).status_code == 429, "strangers have had theirs"
        assert (await ask(hers, phone)).status_code == 202
        assert (await verify(hers, phone, (await sent(phone))[-1])).status_code == 201


async def test_one_place_leaves_asks_to_others(at: At) -> None:
    phone, stranger, hers = a_phone(), at(), at()
    for minutes in range(5):
        with clock.moved(timedelta(minutes=2 * minutes)):
            assert (await ask(stranger, phone)).status_code == 202
    with clock.moved(timedelta(minutes=12)):
        assert (await ask(stranger, phone)).status_code == 429
        assert (await ask(hers, phone)).status_code == 202


async def test_wrong_codes_of_one_address_slow_it_down_and_nobody_else(at: At) -> None:
    attacker, neighbour = an_address(), a_phone()
    known = at(attacker)
    await sign_up(known, neighbour)
    for _ in range(codes.WRONG_PER_ADDRESS.free):
        assert (await verify(at(attacker), a_phone(), "000000")).status_code == 401
    refused = await verify(at(attacker), a_phone(), "000000")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) <= 60
    phone, elsewhere = a_phone(), at()
    await sign_up(elsewhere, phone)
    with clock.moved(timedelta(minutes=2)):
        await ask(known, neighbour)
        assert (await verify(known, neighbour, (await sent(neighbour))[-1])).status_code == 201


async def test_fifth_try_may_be_the_right_one(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, phone)
    code = (await sent(phone))[0]
    for _ in range(codes.TRIES - 1):
        await verify(client, phone, other_than(code))
    assert (await verify(client, phone, code)).status_code == 201


async def test_wrong_tries_at_the_same_moment_all_count(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, phone)
    code = (await sent(phone))[0]
    await asyncio.gather(*(verify(client, phone, other_than(code)) for _ in range(codes.TRIES)))
    assert (await verify(client, phone, code)).status_code == 401


async def test_code_ends_after_five_minutes(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, phone)
    code = (await sent(phone))[0]
    with clock.moved(timedelta(minutes=5, seconds=1)):
        assert (await verify(client, phone, code)).status_code == 401
    with clock.moved(timedelta(minutes=4, seconds=50)):
        assert (await verify(client, phone, code)).status_code == 201


async def test_new_code_ends_the_one_before(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, phone)
    with clock.moved(timedelta(minutes=2)):
        assert (await ask(client, phone)).status_code == 202
        first, second = await sent(phone)
        if first != second:
            assert (await verify(client, phone, first)).status_code == 401
        assert (await verify(client, phone, second)).status_code == 201


async def test_used_code_does_not_bring_the_one_before_back(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, phone)
    with clock.moved(timedelta(minutes=2)):
        await sign_up(client, phone)
        assert (await verify(client, phone, (await sent(phone))[0])).status_code == 401


async def test_code_is_good_for_its_own_phone_only(at: At) -> None:
    phone, other, client = a_phone(), a_phone(), at()
    await ask(client, phone)
    await ask(client, other)
    code, others = (await sent(phone))[0], (await sent(other))[0]
    if code != others:
        assert (await verify(client, other, code)).status_code == 401
    assert (await verify(client, phone, code)).status_code == 201


async def test_asking_from_many_places_at_once_sends_two_codes(at: At) -> None:
    phone = a_phone()
    answers = await asyncio.gather(*(ask(at(), phone) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [202] * 2 + [429] * 6
    assert len(await sent(phone)) == 2


async def test_phone_is_sent_one_code_a_minute_five_an_hour_ten_a_day(at: At) -> None:
    phone, home = a_phone(), at()
    waited = timedelta()
    for expected in (60, 60, 60, 60, 3600, 60, 60, 60, 60, 86400):
        with clock.moved(waited):
            assert (await ask(home, phone)).status_code == 202
            refused = await ask(home, phone)
        assert refused.status_code == 429
        wait = int(refused.headers["retry-after"])
        assert wait <= expected
        if expected == 60:
            assert wait > 50
        else:
            assert wait > expected - 3900, "until the first of them is long enough ago"
        with clock.moved(waited + timedelta(seconds=wait - 5)):
            assert (await ask(home, phone)).status_code == 429
        waited += timedelta(seconds=wait)
    assert len(await sent(phone)) == 10


async def test_address_gets_codes_for_so_many_phones_an_hour(at: At) -> None:
    meeting = an_address()
    client = at(meeting)
    for _ in range(codes.PER_ADDRESS[0].times):
        assert (await ask(client, a_phone())).status_code == 202
    refused = await ask(client, a_phone())
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 3000
    assert (await ask(at(), a_phone())).status_code == 202
    with clock.moved(timedelta(hours=1)):
        assert (await ask(client, a_phone())).status_code == 202


async def test_asking_does_not_tell_whether_a_phone_is_known(at: At) -> None:
    known, unknown = a_phone(), a_phone()
    await sign_up(at(), known)
    with clock.moved(timedelta(minutes=2)):
        one, other = at(), at()
        first, second = await ask(one, known), await ask(other, unknown)
        assert first.status_code == 202
        assert first.content == second.content
        assert set(first.headers) == set(second.headers)
        refusals = [await ask(one, known), await ask(other, unknown)]
    assert refusals[0].status_code == 429
    assert refusals[0].content == refusals[1].content


async def test_wrong_code_does_not_tell_whether_a_phone_is_known_or_was_sent_one(at: At) -> None:
    known, asked, unknown = a_phone(), a_phone(), a_phone()
    await sign_up(at(), known)
    await ask(at(), asked)
    wrong = other_than((await sent(asked))[0])
    answers = [await verify(at(), phone, wrong) for phone in (known, asked, unknown)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert len({str(answer.headers.multi_items()) for answer in answers}) == 1


@pytest.mark.parametrize(
    ("phone", "told"),
    [
        ("023-46773333", "固定电话收不到短信，请填写手机号码"),
        ("+852 9123 4567", "境外及港澳台号码"),
        ("12345", "不是有效的手机号码"),
    ],
)
async def test_number_that_gets_no_texts_is_refused_with_the_reason(
    at: At, phone: str, told: str
) -> None:
    answer = await ask(at(), phone)
    assert answer.status_code == 422
    (mistake,) = answer.json()["mistakes"]
    assert mistake["where"] == "body.phone"
    assert told in mistake["what"]
    assert phone not in answer.text


async def test_same_phone_written_differently_is_the_same_phone(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, f"+86 {phone}")
    assert (await ask(client, phone)).status_code == 429
    code = (await sent(phone))[0]
    wide = code.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    assert (await verify(client, f"{phone[:3]}-{phone[3:7]}-{phone[7:]}", wide)).status_code == 201


@pytest.mark.parametrize(
    "code", ["12345", "1234567", "12345a", "", "١٢٣٤٥٦", 123456, None, "\ud800"]
)
async def test_what_is_no_code_is_refused_without_costing_a_try(at: At, code: object) -> None:
    answer = await at().post(
        VERIFY,
        content=json.dumps({"phone": a_phone(), "code": code}).encode(),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 422


async def test_code_stands_nowhere_in_the_clear(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, phone)
    code = (await sent(phone))[0]
    kept = await rows(
        "SELECT code_digest, id FROM one_time_code WHERE phone_key = :key",
        key=phone_key(f"+86{phone}"),
    )
    digest, code_id = kept[0]
    assert isinstance(digest, bytes)
    assert isinstance(code_id, UUID)
    assert code.encode() not in digest
    assert digest == keys.lookup("one-time-code", f"{code_id}:{code}")
    message = await rows("SELECT params_sealed FROM outbox_message ORDER BY id DESC LIMIT 1")
    assert isinstance(message[0][0], bytes)
    assert code.encode() not in message[0][0]
    shown = repr(CodeTyped(phone=phone, code=code))
    assert code not in shown
    assert phone not in shown


async def test_verification_is_not_kept_to_be_given_again(at: At) -> None:
    phone, client = a_phone(), at()
    await ask(client, phone)
    body = {"phone": phone, "code": (await sent(phone))[0]}
    key = letters()
    answers = [
        await client.post(VERIFY, json=body, headers={"Idempotency-Key": key}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 401]
    assert await rows("SELECT 1 FROM given_answer WHERE key = :key", key=key) == []


async def test_citizen_ends_the_session_of_a_lost_phone_at_once(at: At) -> None:
    phone, lost, new = a_phone(), at(), at()
    lost_id = (await sign_up(lost, phone)).json()["session_id"]
    with clock.moved(timedelta(minutes=2)):
        await sign_up(new, phone, device="我的新手机")
    listed = (await new.get(SESSIONS)).json()["sessions"]
    assert [(one["id"] == lost_id, one["current"]) for one in listed] == [
        (False, True),
        (True, False),
    ]
    assert (await new.delete(f"{SESSIONS}/{lost_id}")).status_code == 204
    assert (await lost.get(SESSIONS)).status_code == 401
    assert (await new.delete(f"{SESSIONS}/current")).status_code == 204
    assert set(new.cookies) == {"qungong_device"}


async def test_another_citizens_session_is_not_there(at: At) -> None:
    theirs, mine = at(), at()
    their_id = (await sign_up(theirs, a_phone())).json()["session_id"]
    await sign_up(mine, a_phone())
    assert (await mine.delete(f"{SESSIONS}/{their_id}")).status_code == 404
    assert (await theirs.get(SESSIONS)).status_code == 200


async def test_citizens_session_ends_after_ninety_days(at: At) -> None:
    client = at()
    header = {"Authorization": f"Bearer {(await sign_up(client, a_phone())).json()['token']}"}
    with clock.moved(timedelta(days=89)):
        assert (await at().get(SESSIONS, headers=header)).status_code == 200
    with clock.moved(timedelta(days=91)):
        assert (await at().get(SESSIONS, headers=header)).status_code == 401


async def test_citizens_token_is_no_staff_token(at: At) -> None:
    token = (await sign_up(at(), a_phone())).json()["token"]
    header = {"Authorization": f"Bearer {token}"}
    assert (await at().get("/api/v1/sessions/me", headers=header)).status_code == 401


async def test_old_codes_are_forgotten(at: At) -> None:
    phone = a_phone()
    await ask(at(), phone)
    key = phone_key(f"+86{phone}")
    for later, remaining in ((timedelta(hours=47), 1), (timedelta(hours=49), 0)):
        with clock.moved(later):
            async with db.transaction() as tx:
                await codes.forget_old(tx)
        assert (
            len(await rows("SELECT 1 FROM one_time_code WHERE phone_key = :key", key=key))
            == remaining
        )
