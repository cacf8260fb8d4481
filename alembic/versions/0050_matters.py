"""Add the table of matters; clocks, parts, cards, papers, texts and surveys refer to it instead of to cases.

Hash chains, seals and texts keep their bytes. Tables and columns get new names. The head of each chain moves from the row of the
case to the row of its matter.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

APP, CONFIDENTIAL = "qungong_app", "qungong_surveys"
# Former names of tables, and the tables that have a column `case_id`.
TABLES = {
    "case_event": "record_entry",
    "event_text": "record_text",
    "case_party": "matter_party",
}
REFERRING = (
    "assignment", "case_event", "case_party", "card", "clock", "event_text", "outbox_message", "paper", "person_as_given",
    "photo", "surveys.survey",
)  # fmt: skip
# Those whose `case_id` was no foreign key.
LOOSE = ("event_text", "outbox_message")
INDEXES = {
    "assignment_by_case": "assignment_by_matter",
    "card_by_case": "card_by_matter",
    "case_event_by_unit": "record_entry_by_unit",
    "case_event_reassigned": "record_entry_reassigned",
    "clock_by_case": "clock_by_matter",
    "outbox_by_case": "outbox_by_matter",
    "paper_by_case": "paper_by_matter",
    "photo_by_case": "photo_by_matter",
}
MATTER = """
CREATE TABLE matter (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  ref varchar(32) NOT NULL CONSTRAINT matter_ref_key UNIQUE,
  county_id integer NOT NULL REFERENCES unit (id),
  sealed boolean NOT NULL,
  head_seq integer NOT NULL,
  head_hash bytea NOT NULL,
  CONSTRAINT matter_head_seq CHECK (head_seq >= 0)
)"""
FILL = """
INSERT INTO matter (id, kind, ref, county_id, sealed, head_seq, head_hash)
SELECT id, 'grievance', ref, county_id, sealed, event_seq, event_hash FROM grievance"""
# What each kind tells of its matters. A further kind is a further branch (UNION ALL): who asks by a kind's own column
# finds it by that table's index.
FACTS = """
CREATE VIEW matter_facts WITH (security_invoker = true) AS
SELECT id, 'grievance' AS kind, ref, county_id, sealed, title, holder_unit_id, accused_unit_id, village_id, first_unit_id,
  entered_by_unit_id, entered_by_staff_id, citizen_id, textable, received_at, answered_at, round, primary_id
FROM grievance"""
TAKE_BACK = """
UPDATE grievance g SET event_seq = m.head_seq, event_hash = m.head_hash FROM matter m WHERE m.id = g.id"""
_NAMES = sa.text("""
SELECT c.conname, n.nspname || '.' || r.relname AS of FROM pg_constraint c
JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE r.oid = CAST(:table AS regclass) AND c.conname ~ :former ORDER BY 1""")
_ACTIONS = sa.text("""
SELECT DISTINCT action FROM case_event
UNION SELECT unnest(CAST(:known AS text[])) ORDER BY 1""")
KNOWN = (
    "register", "request_supplement", "supply", "decline", "object_refusal", "handle", "escalate", "send_down", "dispatch",
    "sign", "hand_back", "settle", "progress", "assist_answer", "excuse", "answer", "rework", "close", "press", "instruct",
    "merge", "withdraw", "extend", "decide_extension", "wait", "decide_wait", "resume", "supervise", "reply_supervision",
    "list", "unlist", "remind", "card", "appeal", "decide_appeal", "reschedule", "reassign", "approve_answer", "recategorise",
    "change_lead", "add_assistants", "erase", "ask_review", "decide_review", "ask_reexamination", "decide_reexamination",
)  # fmt: skip


def foreign_key(table: str, column: str) -> str:
    return f"{table.rpartition('.')[2]}_{column}_fkey"


def rename_constraints(table: str, former: str, now: str) -> None:
    for row in op.get_bind().execute(_NAMES, {"table": table, "former": former}).all():
        name = row.conname.replace(former, now)
        op.execute(f'ALTER TABLE {row.of} RENAME CONSTRAINT "{row.conname}" TO "{name}"')


def refer(tables: Iterable[str], column: str, target: str) -> None:
    """Have `column` of the tables refer to another table."""
    for table in tables:
        name = foreign_key(table, column)
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {target} (id)"
        )


def upgrade() -> None:
    op.execute(MATTER)
    op.execute(FILL)
    for table in REFERRING:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN case_id TO matter_id")
        rename_constraints(table, "case_id", "matter_id")
    for former, now in TABLES.items():
        op.execute(f"ALTER TABLE {former} RENAME TO {now}")
        rename_constraints(now, former, now)
    for former, now in INDEXES.items():
        op.execute(f"ALTER INDEX {former} RENAME TO {now}")
    named = [TABLES.get(table, table) for table in REFERRING if table not in LOOSE]
    refer(named, "matter_id", "matter")
    refer(["grievance"], "id", "matter")
    op.execute("ALTER TABLE grievance DROP COLUMN event_seq, DROP COLUMN event_hash")
    op.execute("ALTER TABLE record_entry DROP CONSTRAINT action_known")
    op.execute(
        "ALTER TABLE record_entry RENAME CONSTRAINT event_seq_positive TO record_seq_positive"
    )
    op.execute(FACTS)
    op.execute(f"REVOKE UPDATE, DELETE ON matter FROM {APP}")
    op.execute(f"GRANT UPDATE (head_seq, head_hash) ON matter TO {APP}")
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON matter_facts FROM {APP}")


def downgrade() -> None:
    """Only where there are no matters but grievances: the others' rows refer to nothing then, and this fails."""
    op.execute("DROP VIEW matter_facts")
    op.execute(
        r"ALTER TABLE grievance ADD COLUMN event_seq integer NOT NULL DEFAULT 0, ADD COLUMN event_hash bytea NOT NULL DEFAULT '\x'"
    )
    op.execute(TAKE_BACK)
    op.execute(
        "ALTER TABLE grievance ALTER COLUMN event_seq DROP DEFAULT, ALTER COLUMN event_hash DROP DEFAULT"
    )
    op.execute(f"GRANT UPDATE (event_seq, event_hash) ON grievance TO {APP}")
    op.execute("ALTER TABLE grievance DROP CONSTRAINT grievance_id_fkey")
    named = [TABLES.get(table, table) for table in REFERRING if table not in LOOSE]
    refer(named, "matter_id", "grievance")
    for former, now in INDEXES.items():
        op.execute(f"ALTER INDEX {now} RENAME TO {former}")
    op.execute(
        "ALTER TABLE record_entry RENAME CONSTRAINT record_seq_positive TO event_seq_positive"
    )
    for former, now in TABLES.items():
        op.execute(f"ALTER TABLE {now} RENAME TO {former}")
        rename_constraints(former, now, former)
    for table in REFERRING:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN matter_id TO case_id")
        rename_constraints(table, "matter_id", "case_id")
    listed = op.get_bind().execute(_ACTIONS, {"known": list(KNOWN)}).scalars().all()
    op.create_check_constraint(
        "action_known",
        "case_event",
        "action IN ({})".format(", ".join(f"'{one}'" for one in listed)),
    )
    op.execute("DROP TABLE matter")
