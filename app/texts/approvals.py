"""The text messages' words as providers approve them: which template of theirs stands for which words of ours. Sends nothing.

An approval is of exactly these words. Other words, as a new version or another setting brings them, are another row, so
an approval neither carries over to words nobody approved nor is lost when the former ones come back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from msgspec import Struct
from sqlalchemy import CheckConstraint, Identity, Text, UniqueConstraint, text
from sqlmodel import Field

from app.db import Transaction
from app.db.query import Query
from app.db.row_base import MOMENT, Stored, one_of
from app.errors import NotFound, NothingChanged


class Approval(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"

    @property
    def chinese(self) -> str:
        return {"pending": "待审核", "approved": "已通过", "rejected": "未通过"}[self]


class TextTemplate(Stored, table=True):
    """Words of one kind of text at one provider. `current`: they are what the system says now.

    `kind` is not checked against the kinds there are: words of one that is no more stay where they were approved.
    """

    __tablename__ = "text_template"
    __table_args__ = (
        one_of("approval", Approval),
        CheckConstraint(
            "approval <> 'approved' OR template_code IS NOT NULL", name="approved_has_code"
        ),
        CheckConstraint("approval <> 'rejected' OR reason <> ''", name="rejected_has_reason"),
        UniqueConstraint("provider", "kind", "words", name="one_template_for_words"),
    )
    CHANGING: ClassVar[tuple[str, ...]] = (
        "template_code",
        "approval",
        "reason",
        "current",
        "changed_at",
        "changed_by_staff_id",
    )

    id: int | None = Field(default=None, primary_key=True, sa_column_args=(Identity(),))
    provider: str = Field(max_length=20)
    kind: str = Field(max_length=40)
    words: str = Field(sa_type=Text)
    # What the provider calls it, e.g. SMS_154950909.
    template_code: str | None = Field(default=None, max_length=60)
    approval: Approval = Field(default=Approval.PENDING, sa_type=Text)
    # Why it was rejected or withdrawn.
    reason: str = Field(default="", sa_type=Text)
    current: bool = True
    changed_at: datetime = Field(sa_type=MOMENT)
    # Empty where it was done by command, or by the system itself.
    changed_by_staff_id: int | None = Field(default=None, foreign_key="staff.id")


@dataclass(frozen=True, slots=True)
class ApprovalState:
    """What the provider says to our words now."""

    approval: Approval
    template_code: str | None


_REGISTER: Final = text("""
WITH said AS (
  SELECT kind, words FROM unnest(CAST(:kinds AS text[]), CAST(:words AS text[])) AS s(kind, words)
), past AS (
  UPDATE text_template t SET current = FALSE
  WHERE t.provider = :provider AND t.current
    AND NOT EXISTS (SELECT 1 FROM said WHERE said.kind = t.kind AND said.words = t.words)
)
INSERT INTO text_template AS t (provider, kind, words, approval, reason, current, changed_at)
SELECT :provider, kind, words, 'pending', '', TRUE, now() FROM said
ON CONFLICT ON CONSTRAINT one_template_for_words DO UPDATE SET current = TRUE WHERE NOT t.current
""")


class _Standing(Struct, frozen=True):
    approval: Approval
    template_code: str | None


_STANDING: Final = Query(
    _Standing,
    """
SELECT approval, template_code FROM text_template WHERE provider = :provider AND kind = :kind AND words = :words
""",
)
_LISTED: Final = Query(
    TextTemplate,
    """
SELECT * FROM text_template WHERE provider = :provider ORDER BY current DESC, kind, id
""",
)


class _ApprovedWords(Struct, frozen=True):
    kind: str
    words: str


_APPROVED: Final = Query(
    _ApprovedWords,
    """
SELECT kind, words FROM text_template WHERE provider = :provider AND approval = 'approved'
""",
)
_LOCKED: Final = Query(TextTemplate, "SELECT * FROM text_template WHERE id = :id FOR UPDATE")


async def register(tx: Transaction, provider: str, words: Mapping[str, str]) -> None:
    """Have the words said now, by kind, among the provider's templates; new ones await its approval."""
    # In one order, so that two processes starting at once do not wait for each other.
    kinds = sorted(words)
    await tx.execute(
        _REGISTER, provider=provider, kinds=kinds, words=[words[kind] for kind in kinds]
    )


async def standing(tx: Transaction, provider: str, kind: str, words: str) -> ApprovalState | None:
    """None: the provider was never asked about these words."""
    row = await _STANDING.one_or_none(tx, provider=provider, kind=kind, words=words)
    return None if row is None else ApprovalState(Approval(row.approval), row.template_code)


async def listed(tx: Transaction, provider: str) -> Sequence[TextTemplate]:
    """Those in use first."""
    return await _LISTED.all(tx, provider=provider)


async def approved(tx: Transaction, provider: str) -> set[tuple[str, str]]:
    """Kinds of text with the words the provider has approved, in use or not."""
    return {(row.kind, row.words) for row in await _APPROVED.all(tx, provider=provider)}


async def approve(
    tx: Transaction, id_: int, template_code: str, *, staff_id: int | None, now: datetime
) -> TextTemplate:
    """The provider has approved the words under this code."""
    return await _settle(tx, id_, Approval.APPROVED, template_code, "", staff_id, now)


async def reject(
    tx: Transaction, id_: int, reason: str, *, staff_id: int | None, now: datetime
) -> TextTemplate:
    """The provider does not take the words, and says why."""
    return await _settle(tx, id_, Approval.REJECTED, None, reason, staff_id, now)


async def withdraw(
    tx: Transaction, id_: int, reason: str, *, staff_id: int | None, now: datetime
) -> TextTemplate:
    """Nothing is sent with it until it is approved anew; its code is no longer believed."""
    return await _settle(tx, id_, Approval.PENDING, None, reason, staff_id, now)


async def _settle(
    tx: Transaction,
    id_: int,
    approval: Approval,
    code: str | None,
    reason: str,
    staff_id: int | None,
    now: datetime,
) -> TextTemplate:
    row = await _LOCKED.one_or_none(tx, id=id_)
    if row is None:
        raise NotFound
    template = row
    if (template.approval, template.template_code, template.reason) == (approval, code, reason):
        raise NothingChanged
    template.approval, template.template_code, template.reason = approval, code, reason
    template.changed_at, template.changed_by_staff_id = now, staff_id
    tx.change(template)
    return template
