"""What a deployment may configure, read once from the environment. Holds no county's rules: those are rows."""

from functools import cache
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOCAL_SECRET = "local-only-secret-never-use-it-outside-127.0.0.1"  # noqa: S105 - refused in production below


class Settings(BaseSettings):
    """Every field is an environment variable of the same name in capitals; see docs/configuration.md."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    environment: Literal["local", "production"] = "local"
    database_url: str = "postgresql+asyncpg://postgres@127.0.0.1:5432/qungong"
    redis_url: str = "redis://127.0.0.1:6379/0"
    database_pool_size: int = Field(default=10, ge=1, le=500)

    # Everything secret is derived from this one value; changing it makes stored phone numbers unreadable.
    secret_key: SecretStr = SecretStr(LOCAL_SECRET)
    public_url: str = "http://127.0.0.1:8000"
    trusted_proxies: str = "127.0.0.1"
    media_url: str = "file:///tmp/qungong-media"

    sms_provider: Literal["twilio"] = "twilio"
    twilio_account_sid: str = "ACsimulator0000000000000000000000"
    twilio_auth_token: SecretStr = SecretStr("simulator-token")
    twilio_from: str = "+15005550006"
    # Empty: the real Twilio. Otherwise the base address of a server that speaks its Messages API.
    twilio_api_url: str = ""
    sms_timeout_seconds: float = Field(default=10, gt=0, le=60)

    survey_window_days: int = Field(default=7, ge=1, le=90)
    poll_seconds: float = Field(default=10, gt=0, le=60)

    @field_validator("database_url")
    @classmethod
    def _driver_named(cls, url: str) -> str:
        for plain in ("postgres://", "postgresql://"):
            if url.startswith(plain):
                return "postgresql+asyncpg://" + url.removeprefix(plain)
        return url

    @model_validator(mode="after")
    def _no_local_secret_in_production(self) -> Self:
        if self.environment == "production" and self.secret_key.get_secret_value() == LOCAL_SECRET:
            raise ValueError("SECRET_KEY must be set in production")
        return self


@cache
def settings() -> Settings:
    return Settings()
