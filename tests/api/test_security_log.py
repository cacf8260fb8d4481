"""The security log: who signed in and who was refused, told without numbers, names and accounts."""

import json
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app import security_log
from qungong.asgi import app as served
from qungong.dev.sample import PASSWORD
from tests import people
from tests.api.conftest import Who
from tests.people import Person


def security(logged: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(line) for line in logged if line["event"] == "security"]


async def test_sign_in_is_logged_with_an_id_and_an_address(county: None) -> None:
    assert county is None
    with capture_logs(processors=[merge_contextvars]) as logged:
        async with people.visitor(served, "/api/v1") as somebody:
            answer = await somebody.post("/sessions", {"account": "gongnong", "password": PASSWORD})
    (line,) = security(logged)
    assert line["what"] == "signed_in"
    assert line["who"].startswith("staff:")
    assert line["address"] == "127.0.0.1"
    assert line["session"] == answer.json()["session_id"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert "gongnong" not in json.dumps(line)
    assert answer.json()["name"] not in json.dumps(line, ensure_ascii=False)


async def test_wrong_password_is_logged_by_a_digest_of_the_account(county: None) -> None:
    assert county is None
    account = f"who_{token_hex(4)}"
    with capture_logs() as logged:
        async with people.visitor(served, "/api/v1") as somebody:
            for _ in range(2):
                await somebody.post("/sessions", {"account": account, "password": "秘密"})
    first, second = security(logged)
    assert first["what"] == "wrong_password"
    assert first["account"] == second["account"] == security_log.account_digest(account)
    assert account not in json.dumps(logged)
    assert "秘密" not in json.dumps(logged, ensure_ascii=False)


async def test_refused_right_is_logged_by_its_route(who: Who) -> None:
    cadre = await who("gongnong")
    with capture_logs() as logged:
        assert (await cadre.get("/official-numbers")).status_code == 403
    (line,) = security(logged)
    assert (line["what"], line["method"], line["status"]) == ("refused", "GET", 403)
    assert line["route"] == "/official-numbers"


async def test_refused_reading_is_logged_and_an_unknown_address_is_not(who: Who) -> None:
    cadre = await who("gongnong")
    with capture_logs() as logged:
        assert (await cadre.get("/cases/500153-200101-00000000")).status_code == 404
        assert (await cadre.get("/nowhere")).status_code == 404
    (line,) = security(logged)
    assert (line["what"], line["route"], line["status"]) == ("refused", "/cases/{ref}", 404)
    assert line["who"].startswith("staff:")
    assert "500153" not in json.dumps(line)


async def test_token_that_is_no_longer_good_is_logged_and_none_is_not(stranger: Person) -> None:
    with capture_logs() as logged:
        assert (await stranger.get("/cases")).status_code == 401
        token = {"Authorization": f"Bearer {token_hex(20)}"}
        assert (await stranger.client.get("/cases", headers=token)).status_code == 401
    (line,) = security(logged)
    assert (line["problem"], line["route"]) == ("sign-in-required", "/cases")
    assert token["Authorization"][7:] not in json.dumps(line)


async def test_cross_site_request_and_forged_webhook_are_logged(county: None) -> None:
    assert county is None
    with capture_logs() as logged:
        async with people.visitor(served) as somebody:
            await somebody.client.post("/api/v1/sessions", json={}, headers={"Origin": "https://evil.test"})  # fmt: skip
            await somebody.client.post("/sms/twilio/inbound", data={"Body": "1"})
            await somebody.client.post("/sms/aliyun/guessed-secret-0000/reports", json=[])
    assert [line["problem"] for line in security(logged)] == ["cross-site-request", "not-permitted", "not-found"]  # fmt: skip
    assert "guessed" not in json.dumps(logged)
