"""What a deployment may configure, read once from the environment. Holds no county's rules: those are rows."""

from functools import cache
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOCAL_SECRET = "local-only-secret-never-use-it-outside-127.0.0.1"  # noqa: S105 - refused in production below


class Settings(BaseSettings):
    """Every field is an environment variable of the same name in capitals; see docs/configuration.md."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    environment: Literal["local", "production"] = Field(
        default="local", description="production refuses local secrets"
    )
    database_url: str = Field(
        default="postgresql+asyncpg://postgres@127.0.0.1:5432/qungong",
        description="PostgreSQL 15 or newer",
    )
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        description="Redis 6.2 or newer; nothing is lost without it",
    )
    database_pool_size: int = Field(
        default=10, ge=1, le=500, description="connections of each process"
    )

    secret_key: SecretStr = Field(
        default=SecretStr(LOCAL_SECRET),
        description="everything secret is derived from it; a changed one makes stored numbers unreadable and chains fail",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="as citizens and the SMS provider reach us; webhook signatures cover it",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1", description="addresses whose X-Forwarded-* headers are believed"
    )
    media_url: str = Field(
        default="file:///tmp/qungong-media", description="where photos are kept: file:// or s3://"
    )

    sms_provider: Literal["twilio"] = Field(
        default="twilio", description="who sends the text messages"
    )
    twilio_account_sid: str = Field(
        default="ACsimulator0000000000000000000000", description="the Twilio account"
    )
    twilio_auth_token: SecretStr = Field(
        default=SecretStr("simulator-token"), description="its token; also signs webhooks"
    )
    twilio_from: str = Field(default="+15005550006", description="the number texts come from")
    twilio_api_url: str = Field(
        default="", description="empty: the real Twilio; else a server that speaks its Messages API"
    )
    sms_timeout_seconds: float = Field(
        default=10, gt=0, le=60, description="after this a send counts as unknown and is reconciled"
    )

    sms_rate: float = Field(
        default=50,
        ge=0,
        le=10_000,
        description="texts a second to the provider, by all workers together; 0: as fast as they go",
    )
    sms_per_phone_a_day: int = Field(
        default=20,
        ge=1,
        le=10_000,
        description="more texts to one number within 24 hours wait or go to a person; codes have limits of their own",
    )
    sms_identical_minutes: int = Field(
        default=60,
        ge=0,
        le=1440,
        description="within so many minutes the same words are not sent to a number twice",
    )

    survey_window_days: int = Field(
        default=7, ge=1, le=90, description="days after the answer in which an evaluation counts"
    )
    poll_seconds: float = Field(
        default=10,
        gt=0,
        le=60,
        description="how often workers look for what is due, with Redis or without",
    )

    @field_validator("database_url")
    @classmethod
    def _driver_named(cls, url: str) -> str:
        for plain in ("postgres://", "postgresql://"):
            if url.startswith(plain):
                return "postgresql+asyncpg://" + url.removeprefix(plain)
        return url

    @model_validator(mode="after")
    def _no_published_secret_in_production(self) -> Self:
        if self.environment == "production":
            for name in ("secret_key", "twilio_auth_token"):
                if getattr(self, name) == type(self).model_fields[name].default:
                    raise ValueError(
                        f"{name.upper()} must be set in production: the default is published"
                    )
        return self


@cache
def settings() -> Settings:
    return Settings()
