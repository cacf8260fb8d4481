"""Erasing (删除) what was written or spoken in a case, on a lawful request: the record keeps that it was erased, and verifies.

Its place on the map goes with the texts. Reasons of cards and of their appeals stay: they are decisions about staff. Photos
and texts already sent stay as well.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app.auth.actor import SYSTEM
from app.cases import access, history
from app.cases.lifecycle import Action
from app.cases.models import ERASED
from app.db import OWNER, Transaction
from app.db.query import Query
from app.errors import NothingChanged
from app.matters.attachments import Media


@dataclass(frozen=True, slots=True)
class Erased:
    """Number of erased texts, and the voice messages with bytes still in the store."""

    texts: int
    voices: list[tuple[UUID, Media]]


@dataclass(frozen=True, slots=True)
class _Voice:
    id: UUID
    media: Media


class _WrittenText(Struct, frozen=True):
    seq: int
    field: str


_WRITTEN: Final = Query(
    _WrittenText,
    """
SELECT x.seq, x.field FROM record_text x JOIN record_entry e ON e.matter_id = x.matter_id AND e.seq = x.seq
WHERE x.matter_id = :matter_id AND x.text IS NOT NULL AND e.action NOT IN ('card', 'appeal', 'decide_appeal', 'erase')
ORDER BY x.seq, x.field
""",
)
_ERASE: Final = text("""
UPDATE record_text x SET text = NULL
FROM unnest(CAST(:seqs AS int[]), CAST(:fields AS text[])) AS gone(seq, field)
WHERE x.matter_id = :matter_id AND x.seq = gone.seq AND x.field = gone.field
""")
_ERASE_VOICES: Final = Query(
    _Voice,
    "DELETE FROM attachment WHERE matter_id = :matter_id AND media <> 'image/jpeg' RETURNING id, media",
)
_ERASE_TITLE: Final = text("UPDATE grievance SET title = :erased WHERE id = :matter_id")

_FORGET_WORDS: Final = text("DELETE FROM searched_words WHERE matter_id = :matter_id")


async def erase_texts(tx: Transaction, ref: str, *, reason: str, now: datetime) -> Erased:
    """Erase all texts of a case, its title among them, and its voice messages. Works as the owner of the tables.

    `reason` stands in the record for good: it names nobody. The bytes of voice messages are the caller's to discard, once
    this is committed. Raises NothingChanged where nothing is left to erase.
    """
    dossier = await access.lock_case(tx, ref, by=SYSTEM)
    access.take(dossier, Action.ERASE, by=SYSTEM, now=now)
    matter_id = dossier.case.id
    written = [(row.seq, row.field) for row in await _WRITTEN.all(tx, matter_id=matter_id)]
    if not written:
        raise NothingChanged("这件事里没有可以删除的文字。")
    await tx.act_as(OWNER)
    await tx.execute(
        _ERASE,
        matter_id=matter_id,
        seqs=[seq for seq, _ in written],
        fields=[name for _, name in written],
    )
    await tx.execute(_ERASE_TITLE, matter_id=matter_id, erased=ERASED)
    await tx.execute(_FORGET_WORDS, matter_id=matter_id)
    voices = await _ERASE_VOICES.all(tx, matter_id=matter_id)
    history.record(
        tx,
        dossier,
        Action.ERASE,
        by=SYSTEM,
        now=now,
        public=True,
        texts={"reason": reason},
        erased=written,
        **({"erased_voices": sorted(one.id for one in voices)} if voices else {}),
    )
    return Erased(len(written), [(one.id, one.media) for one in voices])
