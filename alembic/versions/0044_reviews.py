"""复查 and 复核: their actions, clocks, papers and texts."""

import re

import sqlalchemy as sa

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

# By constraint, table and column: what is added to the values it takes.
NEW = (
    ("action_known", "case_event", "action",
     ["ask_review", "decide_review", "ask_reexamination", "decide_reexamination"]),
    *(("stage_known", table, "stage", ["review", "reexamination"]) for table in ("clock", "grievance", "limit_rule", "card")),
    ("kind_known", "outbox_message", "kind", ["review_asked", "review_decided"]),
    ("kind_known", "paper", "kind", ["review", "reexamination"]),
)  # fmt: skip


def _known(name: str, table: str) -> list[str]:
    """The values that the column takes now."""
    asked = sa.text(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name AND conrelid = CAST(:of AS regclass)"
    )
    found = op.get_bind().execute(asked, {"name": name, "of": table})
    return re.findall(r"'(\w+)'", found.scalar_one())


def _take(name: str, table: str, column: str, values: list[str]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, f"{column} IN ({listed})")


DECIDED = "'hand_back_decision', 'extension_decision', 'wait_decision', 'supervised_reply'"


def _owed(stages: str) -> None:
    op.drop_index("clock_owed_by_unit", "clock")
    op.create_index(
        "clock_owed_by_unit",
        "clock",
        ["unit_id", "case_id"],
        postgresql_where=sa.text(f"ended_at IS NULL AND stage IN ({stages})"),
    )


def upgrade() -> None:
    for name, table, column, new in NEW:
        _take(name, table, column, [*_known(name, table), *new])
    _owed(f"{DECIDED}, 'review', 'reexamination'")


def downgrade() -> None:
    _owed(DECIDED)
    # Refused where a review has been asked for: the record is never rewritten.
    for name, table, column, new in NEW:
        _take(name, table, column, [one for one in _known(name, table) if one not in new])
