"""The simulator itself: it must lie, stall and fail as told, and otherwise speak as Twilio does."""

from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from twilio.request_validator import RequestValidator

from app.settings import Settings
from sms.gateway import Accepted
from sms.providers.twilio import TwilioGateway
from sms.providers.twilio_signature import signature_valid
from sms.simulator.app import create_app
from sms.simulator.behaviour import Behaviour, Dice, Treatment
from sms.simulator.state import SimulatorSettings
from tests.sms.conftest import World
from tests.sms.servers import Heard, served, wait_for

TOKEN = Settings().twilio_auth_token.get_secret_value()
PHONE = "+8613800000001"
ACCOUNT = Settings().twilio_account_sid


def reply(world: World, text: str, phone: str = PHONE) -> httpx.Response:
    return world.control.post(f"/phones/{phone}/reply", json={"text": text})


def genuine(world: World, heard: Heard, query: str = "") -> bool:
    return signature_valid(
        TOKEN, f"{world.listener_url}{heard.path}{query}", heard.fields, heard.signature
    )


def test_reply_is_handed_in_signed_with_its_blanks_and_empty_fields(world: World) -> None:
    answered = reply(world, "  不满意，水还是没有 ")
    assert answered.json()["webhook_status"] == 204
    (heard,) = world.listener.heard
    assert heard.path == "/sms/twilio/inbound"
    assert heard.get("Body") == "  不满意，水还是没有 "
    assert heard.get("From") == PHONE
    assert heard.get("FromCity") == ""
    assert genuine(world, heard, "?from=twilio")
    assert not genuine(world, heard)


def test_reply_that_the_application_refuses_shows_so_on_the_phone(world: World) -> None:
    world.listener.answer = 503
    assert reply(world, "1").json()["webhook_status"] == 503
    assert world.control.get(f"/phones/{PHONE}").json()["messages"][0]["webhook_status"] == 503


@pytest.mark.parametrize(
    ("behind", "tries"),
    [("", 1), ("#rc=2", 1), ("#rc=2&rp=ct,rt", 1), ("#rc=2&rp=5xx", 3), ("#rc=1&rp=all", 2)],
)
async def test_what_is_answered_503_is_tried_again_only_where_address_says_so(
    world: World, behind: str, tries: int
) -> None:
    world.listener.answer = 503
    world.behave(report_delay_seconds=0)
    path = f"/report/{tries}/{len(behind)}"
    given = {"To": PHONE, "From": Settings().twilio_from, "Body": "进展"}
    sent = world.control.post(
        f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        auth=(ACCOUNT, TOKEN),
        data=given | {"StatusCallback": f"{world.listener_url}{path}{behind}"},
    )
    assert sent.status_code == 201
    await wait_for(lambda: "delivered" in world.listener.statuses(path))
    assert world.listener.statuses(path).count("queued") == tries
    assert all(genuine(world, one) for one in world.listener.heard if one.path == path)


def test_reply_refused_for_what_it_is_is_not_tried_again(world: World) -> None:
    world.listener.answer = 403
    reply(world, "1")
    assert len(world.listener.heard) == 1


@pytest.mark.parametrize("signature", ["wrong", "missing"])
def test_forged_webhook_is_not_genuine(world: World, signature: str) -> None:
    world.behave(signature=signature)
    reply(world, "1")
    (heard,) = world.listener.heard
    assert (heard.signature is None) == (signature == "missing")
    assert not genuine(world, heard, "?from=twilio")


def test_reply_is_handed_in_as_often_as_told_with_one_sid(world: World) -> None:
    world.behave(copies=5)
    reply(world, "3")
    assert len(world.listener.heard) == 5
    assert len({heard.get("MessageSid") for heard in world.listener.heard}) == 1


async def test_reports_are_signed_for_the_messages_own_address(
    world: World, gateway: TwilioGateway
) -> None:
    await gateway.send(world.text())
    await wait_for(lambda: len(world.listener.heard) == 3)
    assert all(genuine(world, heard) for heard in world.listener.heard)


@pytest.mark.parametrize("fate", ["undelivered", "failed"])
async def test_accepted_text_may_be_reported_as_not_arrived(
    world: World, gateway: TwilioGateway, fate: str
) -> None:
    world.behave(**{fate: 1, "failure_code": 30005})
    message = world.text()
    assert isinstance(await gateway.send(message), Accepted)
    await wait_for(lambda: fate in world.listener.statuses(f"/sms/twilio/status/{message.id}"))
    assert world.listener.heard[-1].get("ErrorCode") == "30005"
    (shown,) = world.control.get(f"/phones/{PHONE}").json()["messages"]
    assert (shown["status"], shown["error_code"]) == (fate, 30005)


async def test_reports_may_come_doubled_and_the_last_first(
    world: World, gateway: TwilioGateway
) -> None:
    world.behave(copies=2, reorder=True)
    message = world.text()
    await gateway.send(message)
    await wait_for(lambda: len(world.listener.heard) == 6)
    statuses = world.listener.statuses(f"/sms/twilio/status/{message.id}")
    assert statuses == ["delivered", "delivered", "sent", "sent", "queued", "queued"]
    (shown,) = world.control.get(f"/phones/{PHONE}").json()["messages"]
    assert shown["status"] == "delivered"


async def test_reports_may_come_before_the_answer(world: World, gateway: TwilioGateway) -> None:
    world.behave(report_before_answer=True, report_delay_seconds=0)
    message = world.text()
    await gateway.send(message)
    assert world.listener.statuses(f"/sms/twilio/status/{message.id}") == [
        "queued",
        "sent",
        "delivered",
    ]


async def test_behaviour_may_hold_for_some_requests_or_some_phones_only(
    world: World, gateway: TwilioGateway
) -> None:
    world.behave(too_many=1, times=2, phones=[PHONE])
    elsewhere = await gateway.send(world.text(phone="+8613800000002"))
    results = [await gateway.send(world.text()) for _ in range(3)]
    assert isinstance(elsewhere, Accepted)
    assert [isinstance(result, Accepted) for result in results] == [False, False, True]


async def test_it_counts_what_was_accepted_twice_for_one_message(
    world: World, gateway: TwilioGateway
) -> None:
    message = world.text()
    await gateway.send(message)
    await gateway.send(message)
    await gateway.send(world.text())
    counts = world.control.get("/control/counts").json()
    assert (counts["requests"], counts["accepted"], counts["doubled"]) == (3, 3, 1)
    assert world.attempts(message) == (2, 2)


async def test_who_texts_stop_gets_no_more_until_start(
    world: World, gateway: TwilioGateway
) -> None:
    results = []
    for word in ("stop ", "START"):
        reply(world, word)
        results.append(isinstance(await gateway.send(world.text()), Accepted))
    assert results == [False, True]


def test_same_seed_gives_the_same_treatments_in_about_the_told_shares() -> None:
    told = Behaviour(seed=7, too_many=0.1, error_accepted=0.05, refused={"21610": 0.05})
    one, two = Dice(told), Dice(told)
    drawn = [one.treatment(told)[0] for _ in range(10_000)]
    assert drawn == [two.treatment(told)[0] for _ in range(10_000)]
    assert 900 < drawn.count(Treatment.TOO_MANY) < 1100
    assert 400 < drawn.count(Treatment.ERROR_ACCEPTED) < 600
    assert 400 < drawn.count(Treatment.REFUSED) < 600


def test_probabilities_beyond_one_are_refused() -> None:
    with pytest.raises(ValidationError):
        Behaviour(too_many=0.6, error_accepted=0.6)


@pytest.mark.parametrize(
    "told", [{"too_many": 2}, {"to_many": 1}, {"copies": 0}, {"stall_seconds": -1}, []]
)
def test_behaviour_that_makes_no_sense_is_refused(world: World, told: object) -> None:
    assert world.control.post("/control/behaviour", json=told).status_code == 422


async def test_inboxes_survive_a_restart_and_a_torn_last_line(tmp_path: Path, world: World) -> None:
    inbound = f"{world.listener_url}/sms/twilio/inbound"
    own = SimulatorSettings(simulator_dir=tmp_path, simulator_inbound_url=inbound)
    message = world.text()
    with served(create_app(Settings(), own)) as url:
        gateway = TwilioGateway(world.settings(twilio_api_url=url))
        await gateway.send(message)
        await gateway.close()
        async with httpx.AsyncClient(base_url=url) as client:
            await client.post(f"/phones/{PHONE}/reply", json={"text": "1"})
    with (tmp_path / "messages.jsonl").open("a") as file:
        file.write('{"sid": "SM')
    with served(create_app(Settings(), own)) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            shown = (await client.get(f"/phones/{PHONE}")).json()["messages"]
            asked = {"status_callback": message.callback_url}
            counted = (await client.get("/control/attempts", params=asked)).json()
    assert [one["text"] for one in shown] == [message.body, "1"]
    assert shown[1]["webhook_status"] == 204
    assert counted["accepted"] == 1


def test_webhook_nobody_listens_to_is_noted_not_raised(tmp_path: Path) -> None:
    own = SimulatorSettings(simulator_inbound_url="http://127.0.0.1:1/sms/twilio/inbound")
    with served(create_app(Settings(), own)) as url:
        answered = httpx.post(f"{url}/phones/{PHONE}/reply", json={"text": "1"}, timeout=20)
    assert answered.json()["webhook_status"] == 0


def test_page_answers_and_lets_no_foreign_script_run(world: World) -> None:
    page = world.control.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "短信模拟器" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    for asset in ("/page.js", "/page.css", "/icon.svg"):
        assert asset in page.text
        assert world.control.get(asset).status_code == 200
    script = world.control.get("/page.js").text
    assert "innerHTML" not in script
    assert "textContent = message.text" in script


def test_phones_list_shows_texts_as_they_are(world: World) -> None:
    reply(world, "<img src=x onerror=alert(1)>")
    (phone,) = world.control.get("/phones").json()
    assert phone["number"] == PHONE
    assert phone["messages"][0]["text"] == "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    "auth",
    [
        httpx.Auth(),
        httpx.BasicAuth("AC", TOKEN),
        httpx.BasicAuth("ACsimulator0000000000000000000000", "x"),
    ],
    ids=["none", "other account", "wrong token"],
)
def test_its_messages_are_for_the_account_only(world: World, auth: httpx.Auth) -> None:
    path = "/2010-04-01/Accounts/ACsimulator0000000000000000000000/Messages.json"
    assert world.control.get(path, auth=auth).status_code == 401
    assert world.control.post(path, auth=auth, data={"To": PHONE}).json()["code"] == 20003


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !", "Basic 5Z", "Bearer x", "Basic " + "A" * 999]
)
def test_header_that_is_no_authorization_is_401(world: World, header: str) -> None:
    path = "/2010-04-01/Accounts/ACsimulator0000000000000000000000/Messages.json"
    assert world.control.get(path, headers={"Authorization": header}).status_code == 401


def test_lists_are_filtered_by_number_and_date(world: World) -> None:
    reply(world, "1")
    account = "ACsimulator0000000000000000000000"
    path = f"/2010-04-01/Accounts/{account}/Messages.json"

    def listed(**query: str) -> int:
        return len(world.control.get(path, auth=(account, TOKEN), params=query).json()["messages"])

    assert listed() == listed(From=PHONE) == listed(**{"DateSent>": "2020-01-01"}) == 1
    assert (
        listed(To=PHONE)
        == listed(**{"DateSent<": "2020-01-01"})
        == listed(DateSent="2020-01-01")
        == 0
    )


def test_twilios_validator_agrees_with_our_check(world: World) -> None:
    reply(world, "满意")
    (heard,) = world.listener.heard
    url = f"{world.listener_url}{heard.path}?from=twilio"
    assert RequestValidator(TOKEN).validate(url, dict(heard.fields), heard.signature)
