"""Every table, in one import: for migrations and for checks over the whole schema."""

from app.auth import models as auth
from app.calendars import models as calendars
from app.cases import models as cases
from app.cases import papers
from app.directory import models as directory
from app.heartbeats import Heartbeat
from app.idempotency import GivenAnswer
from app.limits import models as limits
from app.outbox import OutboxMessage
from app.supervision import models as supervision
from app.surveys import looks
from app.surveys import models as surveys

__all__ = [
    "GivenAnswer",
    "Heartbeat",
    "OutboxMessage",
    "auth",
    "calendars",
    "cases",
    "directory",
    "limits",
    "looks",
    "papers",
    "supervision",
    "surveys",
]
