"""The Twilio adapter and the simulator against Twilio's published OpenAPI document, by prism between the two.

Named so that only `make contract` collects it. Prism refuses a request that the document does not allow (422) and an
answer it does not allow (500); the last tests see that it does.
"""

import asyncio
import json
import re
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings
from sms.gateway import Accepted, OutgoingText, Received, Refused, SentText, Status
from sms.providers.twilio import TwilioGateway
from sms.providers.twilio_protocol import STATES
from sms.providers.twilio_webhooks import status_report
from sms.simulator.app import create_app
from sms.simulator.state import SimulatorSettings
from tests.contract import npm
from tests.sms.servers import Listener, served, wait_for

ACCOUNT: Final = f"AC{'0' * 32}"
MESSAGES: Final = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
FORM: Final = {"To": "+8613800000001", "From": "+15005550006", "Body": "【荣昌群工】进展"}
# Statuses of texts that came in; a report is about one that went out.
_OF_INBOUND: Final = {"receiving", "received"}
_START_SECONDS: Final = 90
_LIST: Final = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
_SPOIL: Final = b"x-spoil"


class Spoiling:
    """The simulator, but for requests with a certain header it answers what the document does not allow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        spoil = scope["type"] == "http" and _SPOIL in dict(scope["headers"])

        async def spoiled(message: Message) -> None:
            if spoil and message["type"] == "http.response.body":
                message = {**message, "body": message["body"].replace(b'"queued"', b'"flying"')}
            await send(message)

        await self._app(scope, receive, spoiled)


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    path = npm.installed() / "@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def checked(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document, with the links of a list as its own examples have them: without a host."""
    answer = document["paths"][_LIST]["get"]["responses"]["200"]["content"]["application/json"]
    example = answer["examples"]["readFullPage1"]["value"]
    for name, told in answer["schema"]["properties"].items():
        if told.get("format") == "uri":
            assert example.get(name) is None or example[name].startswith("/2010-04-01/")
            told["format"] = "uri-reference"
    path = tmp_path_factory.mktemp("contract") / "twilio.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def listener() -> Iterator[tuple[Listener, str]]:
    heard = Listener()
    with served(heard.app) as url:
        yield heard, url


@pytest.fixture(scope="session")
def simulator() -> Iterator[str]:
    own = SimulatorSettings(simulator_dir=None, simulator_inbound_url="http://127.0.0.1:1/unused")
    app = create_app(settings(), own)
    app.add_middleware(Spoiling)
    with served(app) as url:
        yield url


@pytest.fixture(scope="session")
def api(checked: Path, simulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prism before the simulator; 127.0.0.1 only."""
    log = tmp_path_factory.mktemp("prism") / "log"
    prism = str(npm.installed() / "@stoplight/prism-cli/dist/index.js")
    port = _free_port()
    at = ("-h", "127.0.0.1", "-p", str(port))
    with log.open("wb") as written:
        argv = npm.node(prism, "proxy", "--errors", *at, str(checked), simulator)
        running = subprocess.Popen(argv, stdout=written, stderr=written, env=npm.environment())
        try:
            _wait_until_up(running, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(20)


@pytest.fixture
async def client(api: str) -> AsyncIterator[httpx.AsyncClient]:
    auth = (ACCOUNT, settings().twilio_auth_token.get_secret_value())
    async with httpx.AsyncClient(base_url=api, auth=auth, timeout=20) as opened:
        yield opened


def settings(**changed: Any) -> Settings:
    return Settings(**{"twilio_account_sid": ACCOUNT, "sms_timeout_seconds": 20, **changed})


def text(url: str) -> OutgoingText:
    id_ = uuid4()
    return OutgoingText(
        id_, FORM["To"], "progress", {}, f"{FORM['Body']} {id_}", f"{url}/status/{id_}"
    )


async def test_what_the_adapter_sends_and_is_answered_is_as_the_document_has_it(
    api: str, listener: tuple[Listener, str]
) -> None:
    gateway = TwilioGateway(settings(twilio_api_url=api))
    try:
        before, message = datetime.now(UTC), text(listener[1])
        sent = await gateway.send(message)
        assert isinstance(sent, Accepted), sent
        assert await gateway.find(message, attempted_at=before) == sent
        asked = SentText(message.id, 1, message.phone, sent.provider_id, before, before)
        assert isinstance(await gateway.status_of(asked), Status)
    finally:
        await gateway.close()


async def test_adapter_reads_on_from_page_to_page_as_the_document_has_it(api: str) -> None:
    gateway = TwilioGateway(settings(twilio_api_url=api))
    try:
        before, first = datetime.now(UTC), text("http://127.0.0.1:1")
        sent = await gateway.send(first)
        await asyncio.gather(*(gateway.send(text("http://127.0.0.1:1")) for _ in range(55)))
        assert await gateway.find(first, attempted_at=before) == sent
    finally:
        await gateway.close()


async def test_what_came_in_is_asked_for_and_listed_as_the_document_has_it(
    document: dict[str, Any],
    api: str,
    client: httpx.AsyncClient,
    simulator: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sms.providers.twilio._REPLIES_A_PAGE", 1)
    gateway = TwilioGateway(settings(twilio_api_url=api))
    said, asked = gateway._http.request, []

    async def noted(method: str, url: str, **told: Any) -> Any:
        asked.append(told.get("params") or {})
        return await said(method, url, **told)

    monkeypatch.setattr(gateway._http, "request", noted)
    try:
        since = datetime.now(UTC) - timedelta(seconds=1)
        for words in ("1", "谢谢"):
            reply = await client.post(
                f"{simulator}/phones/{FORM['To']}/reply", json={"text": words}
            )
            reply.raise_for_status()
        found = await gateway.received(since)
        assert isinstance(found, Received), found
        assert [one.text for one in found.texts] == ["1", "谢谢"]
        # Prism lets pass what the document does not name.
        known = {one["name"] for one in document["paths"][_LIST]["get"]["parameters"]}
        assert {"To", "DateSent>", "PageSize"} == asked[0].keys() <= known
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", asked[0]["DateSent>"])
    finally:
        await gateway.close()


async def test_one_text_is_answered_as_the_document_has_it(client: httpx.AsyncClient) -> None:
    sent = (await client.post(f"{MESSAGES}.json", data=FORM)).raise_for_status().json()
    fetched = await client.get(f"{MESSAGES}/{sent['sid']}.json")
    assert (fetched.status_code, fetched.json()["sid"]) == (200, sent["sid"])


@pytest.mark.parametrize("fate", ["delivered", "undelivered", "failed"])
async def test_what_is_reported_uses_the_documents_words(
    document: dict[str, Any],
    client: httpx.AsyncClient,
    listener: tuple[Listener, str],
    simulator: str,
    fate: str,
) -> None:
    """The document has no webhooks; their fields are those of the message, by the message's own names."""
    schemas = document["components"]["schemas"]
    of_message = schemas["api.v2010.account.message"]["properties"]
    behaviour = {} if fate == "delivered" else {fate: 1, "failure_code": 30003}
    told = await client.post(f"{simulator}/control/behaviour", json=behaviour)
    assert told.status_code == 200
    path = f"/status/{uuid4()}"
    form = FORM | {"StatusCallback": f"{listener[1]}{path}"}
    (await client.post(f"{MESSAGES}.json", data=form)).raise_for_status()
    await wait_for(lambda: fate in listener[0].statuses(path))
    for heard in listener[0].heard:
        if heard.path == path:
            fields = dict(heard.fields)
            assert fields["MessageStatus"] in schemas["message_enum_status"]["enum"]
            assert re.fullmatch(of_message["sid"]["pattern"], fields["MessageSid"])
            assert re.fullmatch(of_message["account_sid"]["pattern"], fields["AccountSid"])
            assert fields.get("ErrorCode", "1").isdecimal()
            assert of_message["error_code"]["type"] == "integer"


def test_every_status_and_id_the_document_knows_is_understood(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    known = set(schemas["message_enum_status"]["enum"]) - _OF_INBOUND
    assert known <= STATES.keys()
    pattern = schemas["api.v2010.account.message"]["properties"]["sid"]["pattern"]
    for sid in (f"SM{'0aF' * 10}00", f"MM{'9' * 32}"):
        assert re.fullmatch(pattern, sid)
        for status in known:
            assert status_report([("MessageSid", sid), ("MessageStatus", status)]) is not None


def without(name: str) -> dict[str, str]:
    return {field: value for field, value in FORM.items() if field != name}


@pytest.mark.parametrize(
    ("path", "form", "answer"),
    [
        (f"{MESSAGES}.json", without("To"), 422),
        (f"{MESSAGES}.json", without("To") | {"to": FORM["To"]}, 422),
        (f"{MESSAGES}.json", without("To") | {"Recipient": FORM["To"]}, 422),
        (f"{MESSAGES}.json", FORM | {"ValidityPeriod": "soon"}, 422),
        (f"{MESSAGES}.json", FORM | {"StatusCallback": "not an address"}, 422),
        (MESSAGES.replace(ACCOUNT, "ACsimulator") + ".json", FORM, 422),
        (MESSAGES.replace("Messages", "Message") + ".json", FORM, 404),
    ],
)
async def test_control_a_wrong_request_is_noticed(
    client: httpx.AsyncClient, path: str, form: dict[str, str], answer: int
) -> None:
    assert (await client.post(path, data=form)).status_code == answer


async def test_control_a_request_without_an_account_is_noticed(api: str) -> None:
    async with httpx.AsyncClient(base_url=api) as nobody:
        assert (await nobody.post(f"{MESSAGES}.json", data=FORM)).status_code == 401


async def test_control_an_adapter_that_says_it_otherwise_is_noticed(
    api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = TwilioGateway(settings(twilio_api_url=api))
    said = gateway._http.request

    async def otherwise(method: str, url: str, **told: Any) -> Any:
        told["data"] = {name.lower(): value for name, value in told["data"].items()}
        return await said(method, url, **told)

    monkeypatch.setattr(gateway._http, "request", otherwise)
    try:
        assert isinstance(await gateway.send(text("http://127.0.0.1:1")), Refused)
    finally:
        await gateway.close()


async def test_control_a_wrong_answer_is_noticed(client: httpx.AsyncClient) -> None:
    spoiled = await client.post(f"{MESSAGES}.json", data=FORM, headers={"X-Spoil": "1"})
    assert spoiled.status_code == 500
    assert "status" in spoiled.text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(running: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if running.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"prism did not start:\n{log.read_text(errors='replace')[-2000:]}")
