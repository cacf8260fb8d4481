"""Tables of surveys, in a PostgreSQL schema of their own: none of them is read where cases are shown."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from app.stored import MOMENT, Stored, one_of
from app.surveys.replies import Value

SCHEMA = "surveys"


class AnswerChannel(StrEnum):
    TEXT = "text"
    PAGE = "page"
    RETURN_CALL = "return_call"


class ReplyEffect(StrEnum):
    """What a text from a citizen did. UNCLEAR and NOT_ASKED are for people to read."""

    ANSWERED = "answered"
    THANKS = "thanks"
    OPTED_OUT = "opted_out"
    UNCLEAR = "unclear"
    NOT_ASKED = "not_asked"


class HandReading(StrEnum):
    """How staff read a reply that the system could not: as one of the values of an answer, or as none."""

    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    DISSATISFIED = "dissatisfied"
    NOT_AN_ANSWER = "not_an_answer"

    @property
    def value_read(self) -> Value | None:
        return None if self is HandReading.NOT_AN_ANSWER else Value(self)

    @property
    def chinese(self) -> str:
        return "不是评价" if self.value_read is None else self.value_read.chinese


class CallCause(StrEnum):
    DISSATISFIED = "dissatisfied"
    NO_NUMBER = "no_number"

    @property
    def chinese(self) -> str:
        return {"dissatisfied": "不满意", "no_number": "无法短信评价"}[self]


class CallState(StrEnum):
    OPEN = "open"
    DONE = "done"


class CallResult(StrEnum):
    """NOT_REACHED leaves the call open. EVALUATED: nothing was wrong, only the evaluation was taken."""

    VALID = "valid"
    UNREASONABLE = "unreasonable"
    NOT_REACHED = "not_reached"
    EVALUATED = "evaluated"

    @property
    def chinese(self) -> str:
        return {
            "valid": "反映属实",
            "unreasonable": "诉求不合理",
            "not_reached": "未联系上",
            "evaluated": "已评价",
        }[self]


class Survey(Stored, table=True):
    """One question to one person about one round of a case. `case_id` is the person's own case, also where it was joined.

    `short_number` tells a person's open surveys apart: `2号满意` answers the one numbered 2.
    """

    __tablename__ = "survey"
    __table_args__ = (
        UniqueConstraint("case_id", "round", "citizen_id", name="one_survey_a_round_and_person"),
        CheckConstraint("window_ends_at > asked_at", name="survey_window"),
        Index("survey_by_citizen", "citizen_id", "window_ends_at"),
        {"schema": SCHEMA},
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="grievance.id")
    round: int
    citizen_id: UUID = Field(foreign_key="citizen.id")
    short_number: int
    asked_at: datetime = Field(sa_type=MOMENT)
    window_ends_at: datetime = Field(sa_type=MOMENT)


class Answer(Stored, table=True):
    """What a person answered. The first clear answer counts: there is one at most."""

    __tablename__ = "answer"
    __table_args__ = (one_of("channel", AnswerChannel), one_of("value", Value), {"schema": SCHEMA})
    # By text and on the page in the same moment: one of the two is enough.
    ADD_ONCE: ClassVar[bool] = True

    survey_id: UUID = Field(primary_key=True, foreign_key=f"{SCHEMA}.survey.id")
    channel: AnswerChannel = Field(sa_type=Text)
    value: Value = Field(sa_type=Text)
    remark_sealed: bytes | None = None
    answered_at: datetime = Field(sa_type=MOMENT)


class Reply(Stored, table=True):
    """A text that came in, once by its provider's id. Those that could not be read wait for a person (`unread_reply`).

    `citizen_id` is the person whose number it came from, if that is known.
    """

    __tablename__ = "reply"
    __table_args__ = (
        one_of("effect", ReplyEffect),
        one_of("reading", HandReading),
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
            "(state = 'done') = (result IS NOT NULL AND result <> 'not_reached')",
            name="done_has_result",
        ),
        Index("return_call_open", "id", postgresql_where=text("state = 'open'")),
        {"schema": SCHEMA},
    )
    ADD_ONCE: ClassVar[bool] = True
    CHANGING: ClassVar[tuple[str, ...]] = (
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
