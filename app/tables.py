"""Every table, in one import: for migrations and for checks over the whole schema."""

from app.auth import models as auth
from app.calendars import models as calendars
from app.cards import models as cards
from app.cases import models as cases
from app.cases import searched_words
from app.directory import models as directory
from app.evaluation import access_log, evaluation_log
from app.evaluation import models as evaluation
from app.heartbeats import Heartbeat
from app.idempotency import GivenAnswer
from app.limits import models as limits
from app.matters import attachments, clocks, matter, notices, papers, parts, record
from app.phrases import Phrase
from app.reports import models as reports
from app.texts.approvals import TextTemplate
from app.texts.channel import SmsChannel
from app.texts.outbox import OutboxMessage
from app.texts.throttle import Texted
from app.texts.turns import EndedTurn
from app.usage import UsageCount

__all__ = [
    "EndedTurn",
    "GivenAnswer",
    "Heartbeat",
    "OutboxMessage",
    "Phrase",
    "SmsChannel",
    "TextTemplate",
    "Texted",
    "UsageCount",
    "access_log",
    "attachments",
    "auth",
    "calendars",
    "cards",
    "cases",
    "clocks",
    "directory",
    "evaluation",
    "evaluation_log",
    "limits",
    "matter",
    "notices",
    "papers",
    "parts",
    "record",
    "reports",
    "searched_words",
]
