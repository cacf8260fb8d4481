"""Settings of a deployment, read once from the environment. A county's rules are rows, not settings."""

import re
from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from functools import cache, cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOCAL_SECRET = "local-only-secret-never-use-it-outside-127.0.0.1"  # noqa: S105 - refused in production below

_LOCAL_MEDIA: Final = Path(__file__).resolve().parents[1] / ".local" / "media"

Provider = Literal["twilio", "aliyun"]
# What must not be the published default where a provider's webhooks are believed.
_SECRETS: Final[Mapping[Provider, tuple[str, ...]]] = {
    "twilio": ("twilio_auth_token",),
    "aliyun": ("aliyun_access_key_secret", "aliyun_push_secret", "aliyun_push_addresses"),
}
_IN_AN_ADDRESS: Final = re.compile(r"[A-Za-z0-9_-]+")
_AN_ALLOWANCE: Final = re.compile(r"[1-9]\d{0,8}/h [1-9]\d{0,8}/d")


class NoticeKind(StrEnum):
    """What staff are texted about: limits and cards, new work, being pressed, decisions asked of them, return calls, work taken away."""

    TIME = "time"
    WORK = "work"
    PRESSED = "pressed"
    DECISION = "decision"
    CALLS = "calls"
    RELIEVED = "relieved"


# How often something may be created, an hour and a day (app/usage.py).
_ALLOWANCES: Final = (
    "reports_of_resident",
    "reports_of_staff",
    "reports_about_number",
    "reports_from_address",
    "numbers_of_staff",
    "exports_of_staff",
    "photos_of_resident",
    "photos_of_staff",
    "acts_of_resident",
)


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
    database_plan_cache_mode: Literal["force_generic_plan", "auto"] = Field(
        default="force_generic_plan",
        description="plan each statement once for each connection; on Citus it must be auto",
    )

    http_connections: int = Field(
        default=500,
        ge=10,
        le=100_000,
        description="connections of each HTTP process; beyond it the one longest waiting for the rest of a request is closed",
    )
    http_header_seconds: float = Field(
        default=15, gt=0, le=300, description="within which the header of a request must arrive"
    )
    http_idle_seconds: int = Field(
        default=65,
        ge=1,
        le=600,
        description="a connection is kept open without a request; longer than the proxy in front keeps it",
    )
    http_body_seconds: float = Field(
        default=30,
        gt=0,
        le=600,
        description="without a byte of a body, after which the connection is closed",
    )
    http_body_rate: float = Field(
        default=1000,
        gt=0,
        description="bytes a second of a body, averaged after the first HTTP_BODY_SECONDS; slower senders are cut off",
    )
    http_answer_seconds: float = Field(
        default=60,
        gt=0,
        le=600,
        description="within which a client must go on reading an answer",
    )

    live_streams: int = Field(
        default=200,
        ge=1,
        le=50_000,
        description="streams of changes (SSE) of each HTTP process; each is a connection of HTTP_CONNECTIONS",
    )

    photo_memory_mb: int = Field(
        default=768,
        ge=200,
        le=8192,
        description="memory of each process that decodes photos; two at most for each HTTP process, while photos come",
    )
    photo_cpu_seconds: int = Field(
        default=15, ge=1, le=300, description="processor time that one photo may take"
    )

    reports_of_resident: str = Field(
        default="10/h 20/d", description="what a resident may report in an hour and on a day"
    )
    reports_of_staff: str = Field(
        default="60/h 400/d",
        description="what one cadre or clerk may register; a village on market day stays below",
    )
    reports_about_number: str = Field(
        default="60/h 120/d", description="what staff may register under one telephone number"
    )
    reports_from_address: str = Field(
        default="300/h 2000/d",
        description="what residents may report from one address; many stand behind one router",
    )
    exports_of_staff: str = Field(
        default="30/h 100/d", description="how many lists one member of staff may export"
    )
    numbers_of_staff: str = Field(
        default="120/h 600/d",
        description="how many numbers one cadre or clerk may look at before registering",
    )
    photos_of_resident: str = Field(
        default="60/h 120/d",
        description="photos and voice messages a resident may send, refused ones counted",
    )
    photos_of_staff: str = Field(
        default="300/h 1500/d",
        description="photos and voice messages one cadre may send, refused ones counted",
    )
    acts_of_resident: str = Field(
        default="30/h 100/d",
        description="how often a resident may supplement, press, object, take back or evaluate",
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
        default="",
        description="where photos and voice messages are kept: file:// or s3://; empty: `.local/media` of the working copy. Required in production",
    )

    sms_provider: Provider = Field(
        default="twilio",
        description="who sends the text messages: twilio, or aliyun (阿里云 Dysms)",
    )
    sms_signature: str = Field(
        default="荣昌群工",
        min_length=2,
        max_length=12,
        description="who a text is from, between 【】; with aliyun, as it was approved there",
    )
    sms_two_way: bool | None = Field(
        default=None,
        description="whether replies come back; empty: as the provider has it in mainland China (twilio no, aliyun and the simulator yes)",
    )
    staff_notices: bool = Field(
        default=True,
        description="whether staff whose numbers are entered are texted, once a day and kind at most, to sign in and look",
    )
    staff_notice_kinds: str = Field(
        default="time,work,pressed,decision,calls,relieved",
        description="what staff are texted about: time (cards, reminders, 督办), work (new work), pressed (催办, 批示), decision (approvals), calls (return calls), relieved (work that another unit or the reporter ended)",
    )
    staff_notices_from: time = Field(
        default=time(9, 30),
        description="when the day begins on which staff are texted; what comes before waits",
    )
    staff_notices_until: time = Field(
        default=time(19, 30), description="when it ends; what comes later waits for the next day"
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
    aliyun_access_key_id: str = Field(
        default="LTAIsimulator", description="the AccessKey of a RAM user that may send texts"
    )
    aliyun_access_key_secret: SecretStr = Field(
        default=SecretStr("simulator-key"), description="its secret; signs every request"
    )
    aliyun_api_url: str = Field(
        default="",
        description="empty: the real 阿里云; else a server that speaks its Dysms API",
    )
    aliyun_push_secret: SecretStr = Field(
        default=SecretStr("simulator-pushes-000"),
        min_length=16,
        description="part of the address that receipts and replies are pushed to, since nothing signs them: /sms/aliyun/…/reports and …/replies",
    )
    aliyun_push_addresses: str = Field(
        default="127.0.0.1",
        description="addresses or networks (1.2.3.0/24), separated by commas, that pushes are taken from",
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

    review_bodies: str = Field(
        default="",
        description="codes of the units (one a county, separated by commas) that review what the county's command center "
        "answered or reviewed (复查复核机构); empty: the county's discipline commission",
    )
    survey_window_days: int = Field(
        default=7, ge=1, le=90, description="days after the answer in which an evaluation counts"
    )
    survey_remind_after_days: int = Field(
        default=3,
        ge=0,
        le=90,
        description="days after the question in which nobody answered, and then it is sent once more; 0: never",
    )
    shared_number_names: int = Field(
        default=3,
        ge=2,
        le=100,
        description="so many names registered under one number within a year, and it counts as shared: a return call asks",
    )
    return_call_tries: int = Field(
        default=3,
        ge=1,
        le=30,
        description="days on which somebody could not be reached before their return call is closed",
    )
    month_closing_day: int = Field(
        default=10,
        ge=2,
        le=28,
        description="day of the next month from which on a month is locked; what happens later is not in it",
    )
    poll_seconds: float = Field(
        default=10,
        gt=0,
        le=60,
        description="how often workers look for what is due, with Redis or without",
    )

    @field_validator(*_ALLOWANCES)
    @classmethod
    def _an_hour_and_a_day(cls, given: str) -> str:
        if not _AN_ALLOWANCE.fullmatch(given):
            raise ValueError("must be like 10/h 20/d")
        return given

    @field_validator("database_url")
    @classmethod
    def _driver_named(cls, url: str) -> str:
        for plain in ("postgres://", "postgresql://"):
            if url.startswith(plain):
                return "postgresql+asyncpg://" + url.removeprefix(plain)
        return url

    @field_validator("sms_two_way", mode="before")
    @classmethod
    def _empty_is_unset(cls, given: object) -> object:
        return None if given == "" else given

    @field_validator("staff_notice_kinds")
    @classmethod
    def _kinds_known(cls, given: str) -> str:
        for one in filter(None, (part.strip() for part in given.split(","))):
            NoticeKind(one)
        return given

    @model_validator(mode="after")
    def _day_begins_before_it_ends(self) -> Self:
        if self.staff_notices_from >= self.staff_notices_until:
            raise ValueError("STAFF_NOTICES_FROM must be before STAFF_NOTICES_UNTIL")
        return self

    @field_validator("aliyun_push_addresses")
    @classmethod
    def _networks(cls, given: str) -> str:
        for one in given.split(","):
            ip_network(one.strip())
        return given

    @field_validator("aliyun_push_secret")
    @classmethod
    def _fits_an_address(cls, given: SecretStr) -> SecretStr:
        if not _IN_AN_ADDRESS.fullmatch(given.get_secret_value()):
            raise ValueError("letters, digits, - and _ only: it is part of an address")
        return given

    @model_validator(mode="after")
    def _no_published_secret_in_production(self) -> Self:
        if self.environment == "production":
            for name in ("secret_key", *_SECRETS[self.sms_provider]):
                if self._published(name):
                    raise ValueError(
                        f"{name.upper()} must be set in production: the default is published"
                    )
        return self

    @model_validator(mode="after")
    def _photos_have_a_place_in_production(self) -> Self:
        if self.environment == "production" and not self.media_url:
            raise ValueError(
                "MEDIA_URL must be set in production: photos are kept as long as cases"
            )
        return self

    @property
    def media_store_url(self) -> str:
        return self.media_url or _LOCAL_MEDIA.as_uri()

    @cached_property
    def notices(self) -> frozenset[NoticeKind]:
        if not self.staff_notices:
            return frozenset()
        kinds = (part.strip() for part in self.staff_notice_kinds.split(","))
        return frozenset(NoticeKind(one) for one in kinds if one)

    @property
    def sms_api_url(self) -> str:
        """Where the provider's API is; empty: the real one."""
        return self.twilio_api_url if self.sms_provider == "twilio" else self.aliyun_api_url

    @property
    def review_body_codes(self) -> list[str]:
        return [one.strip() for one in self.review_bodies.split(",") if one.strip()]

    @property
    def replies_come_back(self) -> bool:
        if self.sms_two_way is not None:
            return self.sms_two_way
        return self.sms_provider == "aliyun" or bool(self.twilio_api_url)

    def hears(self, provider: Provider) -> bool:
        """Whether this provider's webhooks are believed: the configured one's, and those whose secrets are our own.

        So a county that changes its provider still takes what the former one has to say.
        """
        return provider == self.sms_provider or not any(map(self._published, _SECRETS[provider]))

    def _published(self, name: str) -> bool:
        return bool(getattr(self, name) == type(self).model_fields[name].default)


@cache
def settings() -> Settings:
    return Settings()
