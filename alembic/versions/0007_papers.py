"""Numbered papers, and the texts that tell of more time and of waiting."""

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KINDS = ["extension", "supervision", "listing"]
OLD_MESSAGES = [
    "one_time_code", "receipt", "supplement_requested", "declined", "moved", "progress", "answered", "reworked", "merged",
]  # fmt: skip
NEW_MESSAGES = ["extended", "waiting"]
LAST_MESSAGES = ["survey", "survey_owed"]

# What was issued under a number stays as it was issued.
KEEP_PAPER = """
CREATE FUNCTION keep_paper() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'paper is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
GUARDS = [
    "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON paper FOR EACH ROW EXECUTE FUNCTION keep_paper()",
    "CREATE TRIGGER no_truncation BEFORE TRUNCATE ON paper FOR EACH STATEMENT EXECUTE FUNCTION keep_paper()",
    "REVOKE UPDATE, DELETE, TRUNCATE ON paper FROM PUBLIC",
]


def _in(values: list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _messages(values: list[str]) -> None:
    op.drop_constraint("kind_known", "outbox_message")
    op.create_check_constraint("kind_known", "outbox_message", f"kind IN ({_in(values)})")


def upgrade() -> None:
    _messages([*OLD_MESSAGES, *NEW_MESSAGES, *LAST_MESSAGES])
    op.create_table(
        "paper_series",
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("county_id", "kind", "year"),
    )
    op.create_table(
        "paper",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.String(10), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"kind IN ({_in(KINDS)})", name="kind_known"),
        sa.CheckConstraint("number > 0", name="paper_number_positive"),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["case_id"], ["grievance.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("county_id", "kind", "year", "number", name="one_paper_a_number"),
    )
    op.create_index("paper_by_case", "paper", ["case_id"])
    op.execute(KEEP_PAPER)
    for guard in GUARDS:
        op.execute(guard)


def downgrade() -> None:
    op.drop_table("paper")
    op.execute("DROP FUNCTION keep_paper")
    op.drop_table("paper_series")
    _messages([*OLD_MESSAGES, *LAST_MESSAGES])
