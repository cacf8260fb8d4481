"""Every table, in one import: for migrations and for checks over the whole schema."""

from app.auth import models as auth
from app.calendars import models as calendars
from app.cases import models as cases
from app.cases import noticing
from app.delivery.channel import SmsChannel
from app.delivery.phone_limits import Texted
from app.delivery.turns import EndedTurn
from app.directory import models as directory
from app.heartbeats import Heartbeat
from app.idempotency import GivenAnswer
from app.limits import models as limits
from app.matters import clocks, matter, papers, parts, photos, record
from app.outbox import OutboxMessage
from app.reports import models as reports
from app.supervision import models as supervision
from app.surveys import evaluation_log, looks
from app.surveys import models as surveys
from app.text_templates import TextTemplate
from app.usage import UsageCount

__all__ = [
    "EndedTurn",
    "GivenAnswer",
    "Heartbeat",
    "OutboxMessage",
    "SmsChannel",
    "TextTemplate",
    "Texted",
    "UsageCount",
    "auth",
    "calendars",
    "cases",
    "clocks",
    "directory",
    "evaluation_log",
    "limits",
    "looks",
    "matter",
    "noticing",
    "papers",
    "parts",
    "photos",
    "record",
    "reports",
    "supervision",
    "surveys",
]
