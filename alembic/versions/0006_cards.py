"""Cards, appeals against them, and the sweep's own pulse. Cards and appeals are only added to."""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STAGES = [
    "judge", "supplement", "sign", "handle", "assist", "hand_back_decision", "extension_decision", "supervised_reply",
    "waiting", "whole",
]  # fmt: skip
MOMENT = sa.DateTime(timezone=True)

# What was earned, by whom and when stays; only a revocation or a decision is added, and that once.
KEEP_CARD = """
CREATE FUNCTION keep_card() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.revoked_at IS NULL AND to_jsonb(NEW) - 'revoked_at' = to_jsonb(OLD) - 'revoked_at' THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'card is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
KEEP_APPEAL = """
CREATE FUNCTION keep_appeal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  decision text[] := ARRAY['decided_at', 'decided_by_staff_id', 'decided_by_unit_id', 'upheld', 'reason'];
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.decided_at IS NULL AND to_jsonb(NEW) - decision = to_jsonb(OLD) - decision THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'appeal is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def _in(values: list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def upgrade() -> None:
    op.create_table(
        "card",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("clock_id", sa.Uuid(), nullable=True),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("unit_name", sa.String(100), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("person_name", sa.String(40), nullable=True),
        sa.Column("post_title", sa.String(40), nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("effective_at", MOMENT, nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("issued_by_staff_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.CheckConstraint("level IN ('yellow', 'red')", name="level_known"),
        sa.CheckConstraint("cause IN ('overdue', 'irregular')", name="cause_known"),
        sa.CheckConstraint(f"stage IN ({_in(STAGES)})", name="stage_known"),
        sa.CheckConstraint(
            "(cause = 'irregular') = (reason IS NOT NULL) AND (cause = 'irregular') = (issued_by_staff_id IS NOT NULL)",
            name="card_irregular_says_why",
        ),
        sa.CheckConstraint(
            "cause <> 'overdue' OR (clock_id IS NOT NULL AND stage IS NOT NULL AND due_at IS NOT NULL)",
            name="card_overdue_names_limit",
        ),
        sa.CheckConstraint("reason <> ''", name="card_reason_not_empty"),
        sa.CheckConstraint("effective_at <= issued_at", name="card_not_early"),
        sa.CheckConstraint("due_at < effective_at", name="card_after_due"),
        sa.CheckConstraint(
            "staff_id IS NOT NULL OR (person_name IS NULL AND post_title IS NULL)",
            name="card_names_its_person",
        ),
        sa.ForeignKeyConstraint(["case_id"], ["grievance.id"]),
        sa.ForeignKeyConstraint(["clock_id"], ["clock.id"]),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.ForeignKeyConstraint(["issued_by_staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("clock_id", "level", name="one_card_a_level"),
    )
    op.create_index("card_by_case", "card", ["case_id"])
    op.create_index("card_by_unit", "card", ["unit_id", "effective_at", "id"])
    op.create_index(
        "card_by_person",
        "card",
        ["staff_id", "effective_at", "id"],
        postgresql_where=sa.text("staff_id IS NOT NULL"),
    )
    op.create_index("card_by_county", "card", ["county_id", "effective_at", "id"])
    op.create_table(
        "appeal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("by_staff_id", sa.Integer(), nullable=False),
        sa.Column("by_unit_id", sa.Integer(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by_staff_id", sa.Integer(), nullable=True),
        sa.Column("decided_by_unit_id", sa.Integer(), nullable=True),
        sa.Column("upheld", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("ground <> ''", name="appeal_ground_not_empty"),
        sa.CheckConstraint(
            "num_nulls(decided_at, decided_by_staff_id, decided_by_unit_id, upheld, reason) IN (0, 5)",
            name="appeal_decided_whole",
        ),
        sa.CheckConstraint("decided_by_unit_id <> by_unit_id", name="appeal_decided_outside"),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"]),
        sa.ForeignKeyConstraint(["by_staff_id"], ["staff.id"]),
        sa.ForeignKeyConstraint(["by_unit_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["decided_by_staff_id"], ["staff.id"]),
        sa.ForeignKeyConstraint(["decided_by_unit_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("card_id", name="one_appeal_a_card"),
    )
    op.create_index(
        "appeal_undecided",
        "appeal",
        ["asked_at", "id"],
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_table(
        "sweep_pulse",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("swept_at", MOMENT, nullable=False),
        sa.Column("held_since", MOMENT, nullable=True),
        sa.Column("held_why", sa.Text(), nullable=True),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.CheckConstraint("id = 1", name="sweep_pulse_one_row"),
        sa.CheckConstraint("held_why IN ('ahead', 'behind')", name="held_why_known"),
        sa.CheckConstraint(
            "(held_since IS NULL) = (held_why IS NULL)", name="sweep_pulse_held_says_why"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(KEEP_CARD)
    op.execute(KEEP_APPEAL)
    for table in ("card", "appeal"):
        op.execute(
            f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_{table}()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncation BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION keep_{table}()"
        )


def downgrade() -> None:
    for table in ("sweep_pulse", "appeal", "card"):
        op.drop_table(table)
    op.execute("DROP FUNCTION keep_appeal()")
    op.execute("DROP FUNCTION keep_card()")
