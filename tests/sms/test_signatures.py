"""Whose webhook it is: exactly what Twilio signed passes, whatever else is sent does not, and nothing crashes."""

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.providers.twilio_signature import signature_valid

TOKEN = "12345"
URL = "https://qungong.example/sms/twilio/inbound?a=1&b=2"
FORM = [
    ("Body", "  不满意，水还是没有 "),
    ("From", "+8613800000001"),
    ("FromCity", ""),
    ("MessageSid", "SM" + "0" * 32),
]

words = st.text(st.characters(codec="utf-8"), max_size=20)
forms = st.lists(st.tuples(words.filter(bool), words), max_size=8, unique_by=lambda field: field[0])


def signed(url: str, form: list[tuple[str, str]], token: str = TOKEN) -> str:
    """As Twilio documents it, written without its library: the address, then each name and value, sorted by name."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


def test_example_of_twilios_documentation_is_valid() -> None:
    form = [
        ("Digits", "1234"),
        ("To", "+18005551212"),
        ("From", "+14158675310"),
        ("Caller", "+14158675310"),
        ("CallSid", "CA1234567890ABCDE"),
    ]
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert signature_valid(TOKEN, url, form, "L/OH5YylLD5NRKLltdqwSvS0BnU=")


@given(forms)
def test_what_was_signed_is_valid_in_any_order(form: list[tuple[str, str]]) -> None:
    assert signature_valid(TOKEN, URL, form[::-1], signed(URL, form))


def test_blanks_at_the_ends_and_empty_fields_are_part_of_what_was_signed() -> None:
    signature = signed(URL, FORM)
    assert signature_valid(TOKEN, URL, FORM, signature)
    assert not signature_valid(
        TOKEN, URL, [(name, value.strip()) for name, value in FORM], signature
    )
    # An empty value adds its name; leaving the field out is another text.
    assert not signature_valid(TOKEN, URL, [field for field in FORM if field[1]], signature)


def test_name_that_stands_twice_counts_with_both_values() -> None:
    twice = [*FORM, ("Body", "满意")]
    assert signature_valid(TOKEN, URL, twice, signed(URL, twice))
    assert not signature_valid(TOKEN, URL, twice, signed(URL, FORM))


@pytest.mark.parametrize("header", [None, "", "x", "不是签名", "=" * 28, "A" * 100_000])
def test_missing_or_odd_signature_is_not_valid(header: str | None) -> None:
    assert not signature_valid(TOKEN, URL, FORM, header)


def test_another_token_another_address_or_another_word_is_a_forgery() -> None:
    signature = signed(URL, FORM)
    assert not signature_valid("another", URL, FORM, signature)
    assert not signature_valid(TOKEN, URL.replace("b=2", "b=3"), FORM, signature)
    assert not signature_valid(TOKEN, URL.replace("inbound", "status"), FORM, signature)
    assert not signature_valid(TOKEN, URL, [("Body", "满意"), *FORM[1:]], signature)
    assert not signature_valid(TOKEN, URL, [], signature)


@pytest.mark.parametrize("url", ["https://qungong.example:port/", "https://[", "", "\ud800"])
def test_address_nobody_can_have_called_is_not_valid(url: str) -> None:
    assert not signature_valid(TOKEN, url, FORM, "A" * 28)


@given(st.text(), st.lists(st.tuples(st.text(), st.text())), st.none() | st.text())
def test_nothing_crashes_and_nothing_unsigned_passes(
    url: str, form: list[tuple[str, str]], header: str | None
) -> None:
    assert signature_valid(TOKEN, url, form, header) is False
