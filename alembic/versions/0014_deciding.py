"""Decisions about waiting have a clock; units that ended hand over; all papers have numbers; what is looked up has indexes."""

import sqlalchemy as sa

from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

OLD_STAGES = [
    "judge", "supplement", "sign", "handle", "assist", "hand_back_decision", "extension_decision", "supervised_reply",
    "waiting", "whole",
]  # fmt: skip
STAGES = [*OLD_STAGES[:7], "wait_decision", *OLD_STAGES[7:]]
STAGED = ["grievance", "clock", "card", "limit_rule"]
OLD_PAPERS = ["extension", "supervision", "listing"]
PAPERS = [*OLD_PAPERS, "receipt", "supplement", "refusal", "transfer", "dispatch", "opinion"]
MOMENT = sa.DateTime(timezone=True)
OWED = (
    "ended_at IS NULL AND stage IN"
    " ('hand_back_decision', 'extension_decision', 'wait_decision', 'supervised_reply')"
)
MOVES = "action IN ('escalate', 'send_down', 'dispatch', 'extend', 'hand_back')"


def _one_of(table: str, column: str, values: list[str]) -> None:
    op.drop_constraint(f"{column}_known", table)
    listed = ", ".join(f"'{value}'" for value in values)
    op.create_check_constraint(f"{column}_known", table, f"{column} IN ({listed})")


def upgrade() -> None:
    for table in STAGED:
        _one_of(table, "stage", STAGES)
    _one_of("paper", "kind", PAPERS)
    op.add_column("unit", sa.Column("ended_by_staff_id", sa.Integer(), nullable=True))
    op.create_foreign_key(None, "unit", "staff", ["ended_by_staff_id"], ["id"])
    op.add_column("unit", sa.Column("handed_over_at", MOMENT, nullable=True))
    op.create_index(
        "unit_by_successor", "unit", ["successor_id"],
        postgresql_where=sa.text("successor_id IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "unit_ended", "unit", ["handed_over_at"], postgresql_where=sa.text("valid_to IS NOT NULL")
    )
    op.create_index(
        "clock_owed_by_unit", "clock", ["unit_id", "case_id"], postgresql_where=sa.text(OWED)
    )
    op.create_index(
        "assignment_open_by_giver", "assignment", ["given_by_unit_id", "case_id"],
        postgresql_where=sa.text("state IN ('offered', 'signed') AND given_by_unit_id IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "grievance_listed", "grievance", ["county_id", "listed_at"],
        postgresql_where=sa.text("listed_at IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "grievance_sealed_by_holder", "grievance", ["holder_unit_id"],
        postgresql_where=sa.text("sealed"),
    )  # fmt: skip
    op.create_index(
        "grievance_by_accused", "grievance", ["accused_unit_id"],
        postgresql_where=sa.text("accused_unit_id IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "case_event_by_unit", "case_event", ["unit_id", "at"], postgresql_where=sa.text(MOVES)
    )


def downgrade() -> None:
    op.drop_index("case_event_by_unit", "case_event")
    for name in ("grievance_by_accused", "grievance_sealed_by_holder", "grievance_listed"):
        op.drop_index(name, "grievance")
    op.drop_index("assignment_open_by_giver", "assignment")
    op.drop_index("clock_owed_by_unit", "clock")
    for name in ("unit_ended", "unit_by_successor"):
        op.drop_index(name, "unit")
    op.drop_column("unit", "handed_over_at")
    op.drop_column("unit", "ended_by_staff_id")
    _one_of("paper", "kind", OLD_PAPERS)
    for table in STAGED:
        _one_of(table, "stage", OLD_STAGES)
