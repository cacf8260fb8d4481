"""Erasing (删除) what was written in a case, on a lawful request: the record keeps that it was erased, and verifies.

Reasons of cards and of their appeals stay: they are decisions about staff. Photos and texts already sent stay as well.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text

from app.auth.actor import SYSTEM
from app.cases import access, history
from app.cases.lifecycle import Action
from app.cases.models import ERASED
from app.db import OWNER, Transaction
from app.errors import NothingChanged

_WRITTEN: Final = text("""
SELECT x.seq, x.field FROM record_text x JOIN record_entry e ON e.matter_id = x.matter_id AND e.seq = x.seq
WHERE x.matter_id = :matter_id AND x.text IS NOT NULL AND e.action NOT IN ('card', 'appeal', 'decide_appeal', 'erase')
ORDER BY x.seq, x.field
""")
_ERASE: Final = text("""
UPDATE record_text x SET text = NULL
FROM unnest(CAST(:seqs AS int[]), CAST(:fields AS text[])) AS gone(seq, field)
WHERE x.matter_id = :matter_id AND x.seq = gone.seq AND x.field = gone.field
""")
_ERASE_TITLE: Final = text("UPDATE grievance SET title = :erased WHERE id = :matter_id")


async def erase_texts(tx: Transaction, ref: str, *, reason: str, now: datetime) -> int:
    """Erase all texts of a case, its title among them; returns how many. Works as the owner of the tables.

    `reason` stands in the record for good: it names nobody. Raises NothingChanged where nothing is left to erase.
    """
    dossier = await access.lock_case(tx, ref, by=SYSTEM)
    access.take(dossier, Action.ERASE, by=SYSTEM, now=now)
    matter_id = dossier.case.id
    written = [(row.seq, row.field) for row in await tx.all(_WRITTEN, matter_id=matter_id)]
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
    history.record(
        tx,
        dossier,
        Action.ERASE,
        by=SYSTEM,
        now=now,
        public=True,
        texts={"reason": reason},
        erased=written,
    )
    return len(written)
