"""Reading Twilio's webhooks: what it really sends is understood, and everything else says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.texts.inbound import InboundText
from sms.gateway import ErrorClass
from sms.providers.twilio_webhooks import (
    StatusReport,
    inbound_text,
    read_form,
    status_report,
)
from tests.sms.conftest import World

SID = "SM" + "0a" * 16
STATUS = [("MessageSid", SID), ("MessageStatus", "delivered"), ("To", "+8613800000001")]
INBOUND = [("MessageSid", SID), ("From", "+8613800000001"), ("Body", " 满意 "), ("FromCity", "")]


def without(form: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    return [field for field in form if field[0] != name]


def test_form_keeps_blanks_empty_fields_doubles_and_order() -> None:
    assert read_form(b"Body=+%E6%BB%A1%E6%84%8F+&FromCity=&A=2&A=1") == [
        ("Body", " 满意 "),
        ("FromCity", ""),
        ("A", "2"),
        ("A", "1"),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", "满意".encode(), b"&".join([b"a=1"] * 500), b"\0"]
)
def test_what_is_no_form_says_nothing(body: bytes) -> None:
    assert status_report(read_form(body)) is None
    assert inbound_text(read_form(body)) is None


@given(st.binary(max_size=300))
def test_no_body_crashes(body: bytes) -> None:
    form = read_form(body)
    assert status_report(form) is None
    assert inbound_text(form) is None


def test_status_is_read_with_its_error_and_class() -> None:
    assert status_report(STATUS) == StatusReport(SID, "delivered", None, None)
    failed = [("MessageSid", SID), ("MessageStatus", "undelivered"), ("ErrorCode", "30005")]
    assert status_report(failed) == StatusReport(
        SID, "undelivered", "30005", ErrorClass.NUMBER_UNUSABLE
    )


def test_reply_is_read_as_it_was_written() -> None:
    assert inbound_text(INBOUND) == InboundText(SID, "+8613800000001", " 满意 ")
    assert inbound_text([*without(INBOUND, "Body"), ("Body", "")]) == InboundText(
        SID, "+8613800000001", ""
    )


def test_nul_is_left_out_and_an_endless_text_ends() -> None:
    read = inbound_text([*without(INBOUND, "Body"), ("Body", "满\0意" * 2000)])
    assert read is not None
    assert "\0" not in read.text
    assert len(read.text) == 1600


@pytest.mark.parametrize("name", ["MessageSid", "MessageStatus"])
def test_status_lacking_doubling_or_mangling_a_field_says_nothing(name: str) -> None:
    assert status_report(without(STATUS, name)) is None
    assert status_report([*STATUS, (name, dict(STATUS)[name])]) is None
    assert status_report([*without(STATUS, name), (name, dict(STATUS)[name] + "\n")]) is None


@pytest.mark.parametrize("name", ["MessageSid", "From", "Body"])
def test_reply_lacking_or_doubling_a_field_says_nothing(name: str) -> None:
    lacking = inbound_text(without(INBOUND, name))
    # A picture has no words, but somebody sent it.
    assert lacking is None if name != "Body" else lacking is not None and lacking.text == ""
    assert inbound_text([*INBOUND, (name, dict(INBOUND)[name])]) is None


@pytest.mark.parametrize(
    "phone",
    [
        "13800000001",
        "+0123456789",
        "+86138",
        "whatsapp:+8613800000001",
        "+８６１３８００００００１",
    ],
)
def test_number_that_is_not_e164_says_nothing(phone: str) -> None:
    assert inbound_text([*without(INBOUND, "From"), ("From", phone)]) is None


def test_fields_split_elsewhere_under_the_same_signature_say_nothing() -> None:
    # "Body" + "3" + "From" + "+8613…" may also be split as one field; the signature cannot tell.
    assert inbound_text([("Body", "3From+8613800000001"), ("MessageSid", SID)]) is None


def test_what_the_simulator_sends_is_read(world: World) -> None:
    world.control.post(
        "/phones/+8613800000001/reply", json={"text": " 基本满意 "}
    ).raise_for_status()
    (heard,) = world.listener.heard
    read = inbound_text(heard.fields)
    assert read is not None
    assert (read.from_phone, read.text) == ("+8613800000001", " 基本满意 ")
