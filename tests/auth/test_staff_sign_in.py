"""Staff sign in: what is answered, what is counted, and who is kept out for how long."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from app import clock, db, keys
from app.api.sessions import SignIn
from app.auth import codes, limits, passwords, signing_in
from tests.auth.conftest import PASSWORD, At, Person, an_address, letters, rows

APerson = Callable[..., Awaitable[Person]]
SESSIONS = "/api/v1/sessions"


async def sign_in(
    client: httpx.AsyncClient, account: str, password: str = PASSWORD, **more: object
) -> httpx.Response:
    return await client.post(SESSIONS, json={"account": account, "password": password, **more})


def bearing(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def failed(account: str, address: str | None, times: int) -> None:
    """Wrong tries as they stand in the table; each from another address unless one is named."""
    async with db.transaction() as tx:
        for _ in range(times):
            await tx.execute(
                text(
                    "INSERT INTO failed_sign_in VALUES (gen_random_uuid(), :account, :address, now())"
                ),
                account=keys.lookup("account", account or letters()),
                address=keys.lookup("address", address or an_address()),
            )


async def test_signing_in_tells_who_one_is_and_where(at: At, a_person: APerson) -> None:
    person, client = await a_person(), at()
    answer = await sign_in(client, person.account, device="值班室电脑")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["name"] == "张敏"
    assert told["post"]["id"] == person.posts[0]
    assert told["post"]["role_name"] == "镇街工作人员"
    assert told["post"]["unit"]["name"] == "广顺街道"
    assert told["post"]["county"]["name"] == "荣昌区"
    assert answer.headers["cache-control"] == "no-store"
    me = await at().get(f"{SESSIONS}/me", headers=bearing(answer))
    shown = ("name", "post", "posts", "cards", "reminders", "calendar_warning")
    assert me.json() == {name: told[name] for name in shown}


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
async def test_cookie_is_out_of_reach_of_scripts_and_other_sites(
    at: At, a_person: APerson, scheme: str, secure: bool
) -> None:
    client = at(scheme=scheme)
    answer = await sign_in(client, (await a_person()).account)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert ("secure" in cookie) is secure
    assert (await client.get(f"{SESSIONS}/me")).status_code == 200


async def test_wrong_password_and_an_unknown_account_are_answered_alike(
    at: At, a_person: APerson
) -> None:
    wrong = await sign_in(at(), (await a_person()).account, "wrong")
    unknown = await sign_in(at(), letters(), "wrong")
    assert wrong.status_code == 401
    assert wrong.content == unknown.content
    assert wrong.headers.multi_items() == unknown.headers.multi_items()


async def test_one_who_has_left_is_answered_like_one_unknown(at: At, a_person: APerson) -> None:
    person = await a_person()
    await rows("UPDATE staff SET active = false WHERE id = :id", id=person.id)
    left = await sign_in(at(), person.account)
    assert left.status_code == 401
    assert left.content == (await sign_in(at(), letters())).content


async def test_unknown_account_waits_for_a_password_check_like_any_other(
    at: At, a_person: APerson, passwords_as_served: None
) -> None:
    """When no check is to be had, both are put off: so both are checked."""
    assert passwords_as_served is None
    person = await a_person()
    client = at()
    places = passwords._AT_ONCE + passwords._WAITING
    busy = [asyncio.create_task(passwords.verify("x", None)) for _ in range(places)]
    await asyncio.sleep(0)
    answers = [await sign_in(client, account) for account in (person.account, letters())]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert all(answer.headers["retry-after"] for answer in answers)
    assert not any(await asyncio.gather(*busy))
    # A try whose password nobody looked at does not count.
    key = keys.lookup("account", person.account)
    assert await rows("SELECT 1 FROM failed_sign_in WHERE account_key = :key", key=key) == []
    assert (await sign_in(client, person.account)).status_code == 201


def test_password_hash_is_expensive_as_served(passwords_as_served: None) -> None:
    """At least what OWASP asks of argon2id: 19 MiB, two passes."""
    assert passwords_as_served is None
    _, kind, _, cost, _, _ = passwords.hash_password("x").split("$")
    parameters = dict(one.split("=") for one in cost.split(","))
    assert kind == "argon2id"
    assert int(parameters["m"]) >= 64 * 1024
    assert int(parameters["t"]) >= 3


async def test_checking_a_password_does_not_stop_the_server(passwords_as_served: None) -> None:
    assert passwords_as_served is None
    checking = asyncio.create_task(passwords.verify("x", None))
    turns = 0
    while not checking.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 50


async def test_wrong_password_makes_the_next_try_wait_whoever_tries(
    at: At, a_person: APerson
) -> None:
    person, office = await a_person(), an_address()
    client = at(office)
    for _ in range(5):
        assert (await sign_in(client, person.account, "wrong")).status_code == 401
    refused = await sign_in(client, person.account)
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) <= 2
    assert (await sign_in(at(), person.account)).status_code == 201, "elsewhere one does not wait"
    await failed(person.account, office, 20)
    longest = await sign_in(client, person.account)
    wait = int(longest.headers["retry-after"])
    assert 240 < wait <= 300
    assert f"请 {wait} 秒后再试" in longest.json()["detail"]
    with clock.moved(timedelta(seconds=wait)):
        assert (await sign_in(client, person.account)).status_code == 201


def test_pause_doubles_up_to_the_longest() -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    pace = signing_in.PER_ACCOUNT_AND_ADDRESS
    waits = [pace.seconds_to_wait([now] * tries, now) for tries in range(15)]
    assert waits == [0] * 5 + [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert pace.seconds_to_wait(None, now) == 0
    assert pace.seconds_to_wait([now - pace.most] * 20, now) == 0


async def test_colleague_cannot_keep_anybody_out_of_a_device_she_signed_in_on(
    at: At, a_person: APerson
) -> None:
    """One address for the whole office: tries at her account, and at all others, from the next desk."""
    person, office = await a_person(), an_address()
    hers = at(office)
    assert (await sign_in(hers, person.account)).status_code == 201
    await failed(person.account, office, signing_in.PER_ADDRESS.counted)
    told = await sign_in(at(office), person.account)
    assert told.status_code == 429
    assert int(told.headers["retry-after"]) <= 300
    assert "以前登录过的设备" in told.json()["detail"]
    assert (await sign_in(hers, person.account)).status_code == 201
    # Her own wrong tries count on her device, and no others'.
    for _ in range(5):
        assert (await sign_in(hers, person.account, "wrong")).status_code == 401
    assert (await sign_in(hers, person.account)).status_code == 429
    with clock.moved(timedelta(seconds=3)):
        assert (await sign_in(hers, person.account)).status_code == 201


async def test_known_device_is_known_to_the_account_alone(at: At, a_person: APerson) -> None:
    one, other, desk, office = await a_person(), await a_person(), at(), an_address()
    for person in (one, other, one):
        assert (await sign_in(desk, person.account)).status_code == 201
    shared = await rows(
        "SELECT count(DISTINCT device_digest) FROM session WHERE staff_id IN (:one, :other)",
        one=one.id,
        other=other.id,
    )
    assert shared == [(1,)], "a device that two people share stays known to both"
    third = await a_person()
    await failed(third.account, office, signing_in.PER_ACCOUNT.free)
    visiting = at(office)
    visiting.cookies.update(desk.cookies)
    assert (await sign_in(visiting, third.account)).status_code == 429
    assert (await sign_in(visiting, one.account)).status_code == 201


async def test_device_name_that_another_planted_is_known_to_nobody_after_sign_in(
    at: At, a_person: APerson
) -> None:
    attacker, victim = await a_person(), await a_person()
    theirs, browser = at(), at()
    assert (await sign_in(theirs, attacker.account)).status_code == 201
    browser.cookies.update(theirs.cookies)
    assert (await sign_in(browser, victim.account)).status_code == 201
    planted = keys.token_digest(theirs.cookies["qungong_device"])
    assert await rows("SELECT 1 FROM session WHERE device_digest = :it", it=planted) == []
    assert browser.cookies["qungong_device"] != theirs.cookies["qungong_device"]


async def test_guesses_at_an_account_stay_bounded() -> None:
    """What docs/adr/0029 says of a day, counted by trying whenever it is allowed."""

    def tries_a_day(pace: limits.Pace) -> int:
        day, at, tries = timedelta(days=1), datetime(2026, 11, 30, tzinfo=UTC), list[datetime]()
        end = at + day
        while at < end:
            recent = [one for one in tries if one > at - pace.within][-pace.counted :][::-1]
            if wait := pace.seconds_to_wait(recent, at):
                at += timedelta(seconds=wait)
            else:
                tries.append(at)
        return len(tries)

    assert tries_a_day(signing_in.PER_ACCOUNT_AND_ADDRESS) <= 300
    assert tries_a_day(signing_in.PER_ACCOUNT) <= 760
    assert tries_a_day(signing_in.PER_ADDRESS) <= 2_500
    assert tries_a_day(codes.WRONG_PER_ADDRESS) <= 1_500


@pytest.mark.parametrize("typed", ["{0}", "{1}", "ｚ{2}", " {0} ", "\u202d{0}\u202c", "{0}\u200b"])
async def test_account_is_found_however_it_is_typed(at: At, a_person: APerson, typed: str) -> None:
    person = await a_person()
    account = person.account
    assert account.startswith("z")
    written = typed.format(account, account.upper(), account[1:])
    answer = await sign_in(at(), written)
    assert answer.status_code == 201, answer.text


async def test_account_written_exactly_comes_before_one_of_another_case(
    at: At, a_person: APerson
) -> None:
    lower, upper = await a_person(), await a_person()
    await rows(
        "UPDATE staff SET account = :account WHERE id = :id RETURNING 1",
        account=lower.account.upper(),
        id=upper.id,
    )
    for account, post in ((lower.account, lower.posts[0]), (lower.account.upper(), upper.posts[0])):
        assert (await sign_in(at(), account)).json()["post"]["id"] == post


async def test_being_refused_does_not_lengthen_the_wait(at: At, a_person: APerson) -> None:
    person, client = await a_person(), at()
    for _ in range(5):
        await sign_in(client, person.account, "wrong")
    for _ in range(4):
        await sign_in(client, person.account, "wrong")
    with clock.moved(timedelta(seconds=3)):
        assert (await sign_in(client, person.account)).status_code == 201


async def test_tries_at_the_same_moment_all_count(at: At, a_person: APerson) -> None:
    person, client = await a_person(), at()
    answers = await asyncio.gather(*(sign_in(client, person.account, "wrong") for _ in range(9)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 4


async def test_unknown_account_is_limited_like_a_known_one(at: At) -> None:
    account, client = letters(), at()
    answers = [await sign_in(client, account, "wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


async def test_signing_in_wipes_the_tries_before_it(at: At, a_person: APerson) -> None:
    person, client = await a_person(), at()
    for _ in range(2):
        for _ in range(4):
            assert (await sign_in(client, person.account, "wrong")).status_code == 401
        assert (await sign_in(client, person.account)).status_code == 201


async def test_sign_in_leaves_the_tries_of_other_places_counted(at: At, a_person: APerson) -> None:
    """Else whoever guesses begins anew each time the person signs in."""
    person, elsewhere = await a_person(), an_address()
    for _ in range(5):
        assert (await sign_in(at(elsewhere), person.account, "wrong")).status_code == 401
    assert (await sign_in(at(), person.account)).status_code == 201
    assert (await sign_in(at(elsewhere), person.account, "wrong")).status_code == 429


async def test_attacker_from_everywhere_cannot_keep_colleague_out_of_her_usual_place(
    at: At, a_person: APerson
) -> None:
    person, desk = await a_person(), an_address()
    assert (await sign_in(at(desk), person.account)).status_code == 201
    await failed(person.account, None, signing_in.PER_ACCOUNT.free)
    assert (await sign_in(at(), person.account)).status_code == 429
    assert (await sign_in(at(desk), person.account)).status_code == 201
    with clock.moved(timedelta(hours=1, seconds=1)):
        assert (await sign_in(at(), person.account)).status_code == 201


async def test_one_address_cannot_try_account_after_account(at: At, a_person: APerson) -> None:
    newcomer, regular, hall = await a_person(), await a_person(), an_address()
    assert (await sign_in(at(hall), regular.account)).status_code == 201
    await failed("", hall, signing_in.PER_ADDRESS.free)
    assert (await sign_in(at(hall), newcomer.account)).status_code == 429
    assert (await sign_in(at(hall), regular.account)).status_code == 201
    assert (await sign_in(at(), newcomer.account)).status_code == 201


async def test_addresses_of_one_ipv6_subscriber_count_as_one(at: At, a_person: APerson) -> None:
    person, subscriber = await a_person(), f"2001:db8:{letters(4)}:{letters(4)}"
    for number in range(5):
        await sign_in(at(f"{subscriber}::{number}"), person.account, "wrong")
    assert (await sign_in(at(f"{subscriber}:aaaa:0:0:9"), person.account)).status_code == 429
    assert (await sign_in(at("2001:db8:ffff:ffff::1"), person.account)).status_code == 201


async def test_one_with_several_posts_starts_in_the_first_or_the_one_asked_for(
    at: At, a_person: APerson
) -> None:
    person = await a_person(posts=2)
    first = (await sign_in(at(), person.account)).json()
    asked = (await sign_in(at(), person.account, post_id=person.posts[1])).json()
    assert [post["id"] for post in first["posts"]] == person.posts
    assert (first["post"]["id"], asked["post"]["id"]) == tuple(person.posts)


async def test_switching_the_post_holds_from_the_next_request_on(at: At, a_person: APerson) -> None:
    person = await a_person(posts=2)
    client, elsewhere = at(), at()
    await sign_in(client, person.account)
    await sign_in(elsewhere, person.account)
    switched = await client.post(f"{SESSIONS}/current/post", json={"post_id": person.posts[1]})
    assert switched.status_code == 200, switched.text
    assert switched.json()["post"]["unit"]["name"] == "荣隆镇"
    assert (await client.get(f"{SESSIONS}/me")).json()["post"]["id"] == person.posts[1]
    assert (await elsewhere.get(f"{SESSIONS}/me")).json()["post"]["id"] == person.posts[0]


async def test_somebody_elses_post_is_not_there(at: At, a_person: APerson) -> None:
    person, other, client = await a_person(), await a_person(), at()
    await sign_in(client, person.account)
    answer = await client.post(f"{SESSIONS}/current/post", json={"post_id": other.posts[0]})
    nowhere = await client.post(f"{SESSIONS}/current/post", json={"post_id": 2**31 - 1})
    assert answer.status_code == 404
    assert answer.content == nowhere.content
    assert (await client.get(f"{SESSIONS}/me")).json()["post"]["id"] == person.posts[0]


async def test_one_without_the_post_asked_for_gets_no_session_and_no_wrong_try(
    at: At, a_person: APerson
) -> None:
    person, other, client = await a_person(), await a_person(), at()
    for _ in range(6):
        answer = await sign_in(client, person.account, post_id=other.posts[0])
        assert answer.status_code == 403
    assert await rows("SELECT 1 FROM session WHERE staff_id = :id", id=person.id) == []


async def test_ended_post_is_signed_out_at_once(at: At, a_person: APerson) -> None:
    person, client = await a_person(posts=2), at()
    await sign_in(client, person.account)
    await rows("UPDATE post SET valid_to = CURRENT_DATE - 1 WHERE id = :id", id=person.posts[0])
    assert (await client.get(SESSIONS)).status_code == 401
    assert (await client.get(f"{SESSIONS}/me")).status_code == 401
    again = await sign_in(client, person.account)
    assert [post["id"] for post in again.json()["posts"]] == person.posts[1:]


async def test_post_counts_until_the_end_of_its_last_day(at: At, a_person: APerson) -> None:
    person, client = await a_person(), at()
    await rows("UPDATE post SET valid_to = CURRENT_DATE WHERE id = :id", id=person.posts[0])
    assert (await sign_in(client, person.account)).status_code == 201
    with clock.moved(timedelta(days=1)):
        assert (await sign_in(at(), person.account)).status_code == 403


async def test_one_who_leaves_is_signed_out_at_once(at: At, a_person: APerson) -> None:
    person, client = await a_person(), at()
    await sign_in(client, person.account)
    await rows("UPDATE staff SET active = false WHERE id = :id", id=person.id)
    assert (await client.get(f"{SESSIONS}/me")).status_code == 401


async def test_password_typed_in_full_width_is_the_same_password(at: At, a_person: APerson) -> None:
    person = await a_person()
    wide = PASSWORD.replace("correct", "ｃｏｒｒｅｃｔ")
    assert (await sign_in(at(), person.account, wide)).status_code == 201


async def test_spaces_belong_to_a_password(at: At, a_person: APerson) -> None:
    assert (await sign_in(at(), (await a_person()).account, f" {PASSWORD}")).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b'{"account": "a", "password": "\\ud800"}',
        b'{"account": "\\udfff", "password": "b"}',
        b'{"account": "a", "password": ""}',
        b'{"account": "a", "password": "' + b"x" * 201 + b'"}',
        b'{"account": ["a"], "password": {"b": 1}}',
        b'{"account": "a", "password": "b", "post_id": true}',
        b'{"account": "a", "password": "b", "post_id": 99999999999}',
        b'{"account": "a", "password": "b", "surplus": "secret"}',
        b"[]",
        b"{",
    ],
)
async def test_nonsense_is_refused_and_not_repeated(at: At, body: bytes) -> None:
    answer = await at().post(SESSIONS, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "xxx" not in answer.text
    assert "secret" not in answer.text


async def test_password_with_a_control_character_is_only_wrong(at: At, a_person: APerson) -> None:
    assert (await sign_in(at(), (await a_person()).account, "\x00\x07")).status_code == 401


async def test_sign_in_is_not_kept_to_be_given_again(at: At, a_person: APerson) -> None:
    person, client = await a_person(), at()
    body = {"account": person.account, "password": PASSWORD}
    key = {"Idempotency-Key": letters()}
    first = await client.post(SESSIONS, json=body, headers=key)
    second = await client.post(SESSIONS, json=body, headers=key)
    assert first.json()["token"] != second.json()["token"]
    kept = await rows("SELECT 1 FROM given_answer WHERE key = :key", key=key["Idempotency-Key"])
    assert kept == []


async def test_what_is_shown_of_a_request_does_not_show_the_password() -> None:
    assert "hush" not in repr(SignIn.model_validate({"account": "a", "password": "hush"}))


async def test_cadre_signs_in_on_the_phone_and_is_limited_together_with_the_desk(
    at: At, a_person: APerson
) -> None:
    person, client = await a_person(), at()
    body = {"account": person.account, "password": PASSWORD}
    answer = await client.post("/m/v1/cadre/sign-in", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["post"]["unit_name"] == "广顺街道"
    assert (await client.get(f"{SESSIONS}/me")).status_code == 200
    for _ in range(5):
        await client.post("/m/v1/cadre/sign-in", json=body | {"password": "wrong"})
    assert (await sign_in(client, person.account)).status_code == 429


async def test_old_tries_are_forgotten(at: At, a_person: APerson) -> None:
    person = await a_person()
    await sign_in(at(), person.account, "wrong")
    key = keys.lookup("account", person.account)
    left = "SELECT 1 FROM failed_sign_in WHERE account_key = :key"
    for later, remaining in ((timedelta(hours=47), 1), (timedelta(hours=49), 0)):
        with clock.moved(later):
            async with db.transaction() as tx:
                await signing_in.forget_old(tx)
        assert len(await rows(left, key=key)) == remaining
