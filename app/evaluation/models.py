"""Tables of surveys, in a PostgreSQL schema of their own: none of them is read where cases are shown."""

from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from app.db.row_base import MOMENT, Stored, one_of
from app.evaluation.reply_meanings import NotRead
from app.evaluation.terms import (
    AnswerChannel,
    CallCause,
    CallResult,
    CallState,
    Discount,
    HandReading,
    ReplyEffect,
    Value,
)

SCHEMA = "surveys"
# For SQL, of a reply: a person read it as an answer.
_VALUES: Final = ", ".join(f"'{value}'" for value in Value)
READ_AS_A_VALUE: Final = f"reading IN ({_VALUES})"


class Survey(Stored, table=True):
    """One question to one person about one round of a case. `matter_id` is the person's own case, also where it was joined.

    Until its turn has come it is there and not asked: then the window is not known either. `next_at` is when the system
    next sees to it: to ask, or to remind. `short_number` tells a person's open surveys apart: `2号满意` answers the 2.
    """

    __tablename__ = "survey"
    __table_args__ = (
        UniqueConstraint("matter_id", "round", "citizen_id", name="one_survey_a_round_and_person"),
        CheckConstraint("window_ends_at > asked_at", name="survey_window"),
        CheckConstraint(
            "(asked_at IS NULL) = (window_ends_at IS NULL) AND (asked_at IS NULL) = (short_number IS NULL)",
            name="asked_has_window",
        ),
        CheckConstraint("asked_at IS NOT NULL OR next_at IS NOT NULL", name="turn_comes"),
        Index("survey_by_citizen", "citizen_id", "window_ends_at"),
        Index("survey_due", "next_at", "id", postgresql_where=text("next_at IS NOT NULL")),
        {"schema": SCHEMA},
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("short_number", "asked_at", "window_ends_at", "next_at")

    id: UUID = Field(primary_key=True)
    matter_id: UUID = Field(foreign_key="matter.id")
    round: int
    citizen_id: UUID = Field(foreign_key="citizen.id")
    created_at: datetime = Field(sa_type=MOMENT)
    short_number: int | None = None
    asked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    window_ends_at: datetime | None = Field(default=None, sa_type=MOMENT)
    next_at: datetime | None = Field(default=None, sa_type=MOMENT)


class Answer(Stored, table=True):
    """What a person answered. One of a survey counts; `discounted` says why another does not, or no longer.

    The one that counts keeps its row when it is corrected: what it said before stands beside it.
    """

    __tablename__ = "answer"
    __table_args__ = (
        one_of("channel", AnswerChannel),
        one_of("value", Value),
        one_of("discounted", Discount),
        Index(
            "one_answer_counts",
            "survey_id",
            unique=True,
            postgresql_where=text("discounted IS NULL"),
        ),
        Index("answer_by_survey", "survey_id"),
        {"schema": SCHEMA},
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("channel", "value", "remark_sealed", "answered_at")

    id: UUID = Field(
        primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")}
    )
    survey_id: UUID = Field(foreign_key=f"{SCHEMA}.survey.id")
    channel: AnswerChannel = Field(sa_type=Text)
    value: Value = Field(sa_type=Text)
    remark_sealed: bytes | None = None
    answered_at: datetime = Field(sa_type=MOMENT)
    discounted: Discount | None = Field(default=None, sa_type=Text)


class OptOut(Stored, table=True):
    """A number whose owner wants no survey by text (退订); `back_at`: wants them again."""

    __tablename__ = "opt_out"
    __table_args__ = ({"schema": SCHEMA},)
    KEY: ClassVar[tuple[str, ...]] = ("phone_key",)
    CHANGING: ClassVar[tuple[str, ...]] = ("out_at", "back_at")

    phone_key: bytes = Field(primary_key=True)
    out_at: datetime = Field(sa_type=MOMENT)
    back_at: datetime | None = Field(default=None, sa_type=MOMENT)


class Reply(Stored, table=True):
    """A text that came in, once by its provider's id. Those that could not be read wait for a person (`unread_reply`).

    `citizen_id` is the person whose number it came from, if that is known. `received_at` is when it was sent, where the
    provider tells. `not_read`: why the system did not even try to read it.
    """

    __tablename__ = "reply"
    __table_args__ = (
        one_of("effect", ReplyEffect),
        one_of("reading", HandReading),
        one_of("not_read", NotRead),
        CheckConstraint(
            "(handled_at IS NULL) = (reading IS NULL) AND (handled_at IS NULL) = (handled_by_staff_id IS NULL)",
            name="handled_has_reading",
        ),
        Index(
            "unread_reply",
            "received_at",
            "provider_message_id",
            postgresql_where=text("effect IN ('unclear', 'not_asked') AND handled_at IS NULL"),
        ),
        Index("reply_read_by_hand", "handled_at", postgresql_where=text(READ_AS_A_VALUE)),
        {"schema": SCHEMA},
    )
    KEY: ClassVar[tuple[str, ...]] = ("provider_message_id",)
    CHANGING: ClassVar[tuple[str, ...]] = (
        "survey_id",
        "handled_at",
        "handled_by_staff_id",
        "reading",
    )

    provider_message_id: str = Field(primary_key=True, max_length=64)
    phone_sealed: bytes
    text_sealed: bytes
    effect: ReplyEffect = Field(sa_type=Text)
    survey_id: UUID | None = Field(default=None, foreign_key=f"{SCHEMA}.survey.id")
    received_at: datetime = Field(sa_type=MOMENT)
    handled_at: datetime | None = Field(default=None, sa_type=MOMENT)
    handled_by_staff_id: int | None = Field(default=None, foreign_key="staff.id")
    reading: HandReading | None = Field(default=None, sa_type=Text)
    not_read: NotRead | None = Field(default=None, sa_type=Text)
    citizen_id: UUID | None = Field(default=None, foreign_key="citizen.id")


class ReturnCall(Stored, table=True):
    """A call the command center owes a citizen (回访). Finding the complaint valid, with consent, allows a new round."""

    __tablename__ = "return_call"
    __table_args__ = (
        one_of("cause", CallCause),
        one_of("state", CallState),
        one_of("result", CallResult),
        UniqueConstraint("survey_id", name="one_return_call_a_survey"),
        CheckConstraint(
            "state = 'done' AND result IS NOT NULL OR state = 'open' AND (result IS NULL OR result = 'not_reached')",
            name="done_has_result",
        ),
        Index("return_call_open", "id", postgresql_where=text("state = 'open'")),
        {"schema": SCHEMA},
    )
    ADD_ONCE: ClassVar[bool] = True
    CHANGING: ClassVar[tuple[str, ...]] = (
        "cause",
        "state",
        "result",
        "consent",
        "note_sealed",
        "tries",
        "called_at",
        "called_by_staff_id",
    )

    id: UUID = Field(primary_key=True)
    survey_id: UUID = Field(foreign_key=f"{SCHEMA}.survey.id")
    cause: CallCause = Field(sa_type=Text)
    state: CallState = Field(default=CallState.OPEN, sa_type=Text)
    result: CallResult | None = Field(default=None, sa_type=Text)
    # Whether the citizen agreed to have it done again.
    consent: bool = False
    note_sealed: bytes | None = None
    tries: int = 0
    created_at: datetime = Field(sa_type=MOMENT)
    called_at: datetime | None = Field(default=None, sa_type=MOMENT)
    called_by_staff_id: int | None = Field(default=None, foreign_key="staff.id")


class CallTry(Stored, table=True):
    """One try to reach the person of a return call, and what came of it; only added to."""

    __tablename__ = "call_try"
    __table_args__ = (
        one_of("result", CallResult),
        Index("call_try_by_call", "call_id"),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    call_id: UUID = Field(foreign_key=f"{SCHEMA}.return_call.id")
    result: CallResult = Field(sa_type=Text)
    note_sealed: bytes | None = None
    at: datetime = Field(sa_type=MOMENT)
    by_staff_id: int = Field(foreign_key="staff.id")
