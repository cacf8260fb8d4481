"""Whoever's case staff withdraw for them is told by text, and it shows as a signal of the unit."""

import sqlalchemy as sa

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

KINDS = [
    "one_time_code",
    "receipt",
    "supplement_requested",
    "declined",
    "moved",
    "progress",
    "answered",
    "reworked",
    "merged",
    "extended",
    "waiting",
    "survey",
    "survey_owed",
    "survey_reminder",
    "staff_notice",
]
MOVES = ["escalate", "send_down", "dispatch", "extend", "hand_back"]


def _moves(actions: list[str]) -> None:
    listed = ", ".join(f"'{action}'" for action in actions)
    op.drop_index("case_event_by_unit", "case_event")
    op.create_index(
        "case_event_by_unit",
        "case_event",
        ["unit_id", "at"],
        postgresql_where=sa.text(f"action IN ({listed})"),
    )


def _kinds(kinds: list[str]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint("kind_known", "outbox_message", type_="check")
    op.create_check_constraint("kind_known", "outbox_message", f"kind IN ({listed})")


def upgrade() -> None:
    after = KINDS.index("declined") + 1
    _kinds([*KINDS[:after], "withdrawn", *KINDS[after:]])
    _moves([*MOVES, "withdraw"])


def downgrade() -> None:
    op.execute("DELETE FROM outbox_message WHERE kind = 'withdrawn'")
    _kinds(KINDS)
    _moves(MOVES)
