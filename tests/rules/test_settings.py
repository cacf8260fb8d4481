"""What a production deployment must not forget."""

import pytest
from pydantic import ValidationError

from app.settings import Settings

OWN = {"SECRET_KEY": "own-secret", "TWILIO_AUTH_TOKEN": "own-token"}


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


def test_production_starts_with_secrets_of_its_own() -> None:
    assert Settings().environment == "production"
