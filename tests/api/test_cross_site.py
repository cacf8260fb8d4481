"""What a page of another site may have a browser do: nothing, on either face, with the victim's cookie in it."""

from collections.abc import AsyncIterator, Mapping
from secrets import token_hex
from typing import Final

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.db import reading
from app.http.cross_site import SAFE
from app.settings import settings
from qungong.asgi import app as served
from qungong.dev.sample import PASSWORD
from tests import faces, people
from tests.api.conftest import Who

_PHASE: Final = text("SELECT phase FROM grievance WHERE ref = :ref")
FOREIGN: Final = "https://evil.test"
# What a form, or a script without a preflight, of another site can send.
FORMS: Final[Mapping[str, tuple[bytes, str]]] = {
    "text/plain": (b'{"a":"="}', "text/plain"),
    "text/plain empty": (b"", "text/plain"),
    "urlencoded": (b"a=b", "application/x-www-form-urlencoded"),
    "urlencoded empty": (b"", "application/x-www-form-urlencoded"),
    "multipart": (b"--x\r\n\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    "no body": (b"", ""),
}
# By face: signing in, and an action that needs no body.
FACES: Final[Mapping[str, tuple[str, str]]] = {
    "staff": ("/api/v1/sessions", "/api/v1/cases/{ref}/handle"),
    "phones": ("/m/v1/cadre/sign-in", "/m/v1/cadre/cases/{ref}/handle"),
}


@pytest_asyncio.fixture(params=FACES, scope="module")
async def browser(
    county: None, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A cadre's, with the cookie of a session, and the address of the action."""
    assert county is None
    sign_in, action = FACES[request.param]
    transport = httpx.ASGITransport(served, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://county.test") as client:
        answer = await client.post(sign_in, json={"account": "gongnong", "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        yield client, action


async def phase(ref: str) -> str:
    async with reading() as tx:
        return str(await tx.scalar(_PHASE, ref=ref))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "told",
    [{"Origin": FOREIGN}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {}],
    ids=["origin", "no origin", "cross-site", "sibling site", "old browser"],
)  # fmt: skip
async def test_cross_site_form_changes_nothing(
    who: Who, browser: tuple[httpx.AsyncClient, str], form: str, told: dict[str, str]
) -> None:
    client, action = browser
    ref = await (await who("gongnong")).registers()
    body, kind = FORMS[form]
    headers = told | ({"Content-Type": kind} if kind else {})
    answer = await client.post(action.format(ref=ref), content=body, headers=headers)
    assert answer.status_code in {403, 415}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await phase(ref) == "pending"


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": "1"},
        {"X-Requested-With": "fetch", "Idempotency-Key": "2"},
        {"Content-Type": "application/json", "Idempotency-Key": "3", "Origin": "https://county.test"},
        {"Idempotency-Key": "4", "Sec-Fetch-Site": "same-origin", "Origin": "https://behind-a-proxy.test"},
    ],
)  # fmt: skip
async def test_own_page_may_act_with_the_cookie(
    who: Who, browser: tuple[httpx.AsyncClient, str], headers: dict[str, str]
) -> None:
    client, action = browser
    ref = await (await who("gongnong")).registers()
    own = headers | {"Idempotency-Key": token_hex(8)}
    answer = await client.post(action.format(ref=ref), headers=own)
    assert answer.status_code == 200, answer.text
    assert await phase(ref) == "handling"


async def test_public_address_is_own_behind_a_proxy_that_rewrites_the_host(
    who: Who, browser: tuple[httpx.AsyncClient, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, action = browser
    monkeypatch.setenv("PUBLIC_URL", "https://qungong.county.test/")
    settings.cache_clear()
    ref = await (await who("gongnong")).registers()
    own = {"Origin": "https://qungong.county.test", "Idempotency-Key": token_hex(8)}
    answer = await client.post(action.format(ref=ref), headers=own)
    monkeypatch.undo()
    settings.cache_clear()
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("face", FACES)
async def test_cross_site_page_cannot_sign_anybody_in(county: None, face: str) -> None:
    """Else a victim would work, and report, in the account of another."""
    assert county is None
    async with people.visitor(served) as somebody:
        answer = await somebody.client.post(
            FACES[face][0],
            json={"account": "gongnong", "password": PASSWORD},
            headers={"Origin": FOREIGN},
        )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_cross_site_page_cannot_end_a_session(
    browser: tuple[httpx.AsyncClient, str], site: str
) -> None:
    """Nor the page of a sibling: another host of the same domain."""
    client, _ = browser
    refused = await client.delete("/m/v1/cadre/sessions/current", headers={"Sec-Fetch-Site": site})
    assert refused.status_code == 403
    assert (await client.get("/m/v1/cadre/me")).status_code == 200


async def test_cookie_over_https_is_bound_to_the_host(
    browser: tuple[httpx.AsyncClient, str],
) -> None:
    client, _ = browser
    names = {cookie.name for cookie in client.cookies.jar}
    assert names == {"__Host-qungong_staff", "__Host-qungong_device"}
    token = client.cookies["__Host-qungong_staff"]
    transport = httpx.ASGITransport(served, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://county.test") as bare:
        # A neighbour on the same domain can set this one.
        planted = await bare.get("/m/v1/cadre/me", headers={"Cookie": f"qungong_staff={token}"})
    assert planted.status_code == 401


async def test_webhooks_are_not_asked_for_an_origin(county: None) -> None:
    """They come from no page; the signature decides."""
    assert county is None
    async with people.visitor(served) as provider:
        answer = await provider.client.post(
            "/sms/twilio/inbound", data={"Body": "1"}, headers={"Origin": FOREIGN}
        )
    assert answer.json()["type"] != "/problems/cross-site-request"
    assert answer.status_code == 403


async def test_bearer_client_needs_no_origin(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    assert (await cadre.client.post(f"/cases/{ref}/handle")).status_code == 200


async def test_body_of_another_type_is_refused_with_a_token_too(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    answer = await cadre.client.post(
        f"/cases/{ref}/handle", content=b"x", headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415
    assert await phase(ref) == "pending"


def test_every_change_documents_that_it_may_be_refused() -> None:
    for path, verbs in faces.phone().openapi()["paths"].items():
        for method, operation in verbs.items():
            unsafe = method.upper() not in SAFE
            kinds = operation["responses"].get("403", {"content": {}})["content"]
            told = kinds.get("application/problem+json", {"examples": {}})["examples"]
            assert ("cross-site-request" in told) is unsafe, path
            assert ("415" in operation["responses"]) is unsafe, path
