"""What brings the notes: their table, and their branch in the view that tells of matters of every kind."""

from typing import Final

from sqlalchemy import text

from app.db import OWNER, Transaction

_GRIEVANCES: Final = "SELECT pg_get_viewdef('matter_facts')"
_TABLE: Final = """
CREATE TABLE note (
  id uuid PRIMARY KEY REFERENCES matter (id),
  ref varchar(32) NOT NULL UNIQUE,
  county_id integer NOT NULL REFERENCES unit (id),
  sealed boolean NOT NULL,
  title varchar(100) NOT NULL,
  holder_unit_id integer NOT NULL REFERENCES unit (id),
  entered_by_staff_id integer NOT NULL REFERENCES staff (id),
  citizen_id uuid REFERENCES citizen (id),
  textable boolean NOT NULL,
  received_at timestamptz NOT NULL,
  phase text NOT NULL,
  round integer NOT NULL,
  answered_at timestamptz
)"""
_NOTES: Final = """
SELECT id, 'note', ref, county_id, sealed, title, holder_unit_id, CAST(NULL AS integer), CAST(NULL AS integer), holder_unit_id,
  holder_unit_id, entered_by_staff_id, citizen_id, textable, received_at, answered_at, round, CAST(NULL AS uuid)
FROM note"""


async def upgrade(tx: Transaction) -> None:
    """As the owner of the tables; the transaction goes on as whoever the application is."""
    await tx.act_as(OWNER)
    told = str(await tx.scalar(text(_GRIEVANCES))).rstrip(";")
    for statement in (
        _TABLE,
        "GRANT UPDATE (phase, answered_at) ON note TO qungong_app",
        f"CREATE OR REPLACE VIEW matter_facts WITH (security_invoker = true) AS {told} UNION ALL {_NOTES}",
    ):
        await tx.execute(text(statement))
    await tx.act_as("qungong_app")
