"""What a production deployment must not forget."""

import pytest
from pydantic import ValidationError

from app.settings import Settings

OWN = {
    "SECRET_KEY": "own-secret",
    "TWILIO_AUTH_TOKEN": "own-token",
    "MEDIA_URL": "s3://county/photos",
}


@pytest.fixture(autouse=True)
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    for name, value in OWN.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("forgotten", OWN)
def test_production_refuses_a_secret_that_is_published(
    forgotten: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(forgotten)
    with pytest.raises(ValidationError, match=forgotten):
        Settings()


ALIYUN = {
    "ALIYUN_ACCESS_KEY_SECRET": "own-key",
    "ALIYUN_PUSH_SECRET": "own-secret-own-secret",
    "ALIYUN_PUSH_ADDRESSES": "203.0.113.0/24",
}


@pytest.mark.parametrize("forgotten", ALIYUN)
def test_production_refuses_what_is_published_of_the_provider_that_is_used(
    forgotten: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_PROVIDER", "aliyun")
    for name, value in ALIYUN.items():
        monkeypatch.setenv(name, value)
    # Of the other one nothing need be set, and its webhooks are not believed then.
    monkeypatch.delenv("TWILIO_AUTH_TOKEN")
    assert not Settings().hears("twilio")
    monkeypatch.delenv(forgotten)
    with pytest.raises(ValidationError, match=forgotten):
        Settings()


@pytest.mark.parametrize("secret", ["short", "with/slash/in/the/middle", "with blanks in it ok"])
def test_secret_that_is_no_part_of_an_address_is_refused(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALIYUN_PUSH_SECRET", secret)
    with pytest.raises(ValidationError, match="aliyun_push_secret"):
        Settings()


def test_addresses_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIYUN_PUSH_ADDRESSES", "203.0.113.0/24, nonsense")
    with pytest.raises(ValidationError, match="aliyun_push_addresses"):
        Settings()


@pytest.mark.parametrize(
    ("given", "come_back"),
    [
        ({}, False),
        ({"TWILIO_API_URL": "http://127.0.0.1:8001"}, True),
        ({"SMS_PROVIDER": "aliyun", **ALIYUN}, True),
        ({"SMS_PROVIDER": "aliyun", **ALIYUN, "SMS_TWO_WAY": "false"}, False),
        ({"SMS_TWO_WAY": "true"}, True),
        ({"SMS_TWO_WAY": ""}, False),
    ],
)
def test_whether_replies_come_back_is_as_provider_has_it_unless_it_is_said(
    given: dict[str, str], come_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Settings().replies_come_back is come_back


def test_production_starts_with_secrets_of_its_own() -> None:
    assert Settings().environment == "production"


def test_photos_lie_beside_the_data_where_no_place_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "local")
    monkeypatch.setenv("MEDIA_URL", "")
    place = Settings().media_store_url
    assert place.startswith("file:///")
    assert place.endswith("/.local/media")
    assert not place.startswith("file:///tmp/qungong")
