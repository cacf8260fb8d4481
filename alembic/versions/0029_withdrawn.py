"""Whoever's case staff withdraw for them is told by text."""

from alembic import op

revision = "0029"
down_revision = "0024"
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


def _kinds(kinds: list[str]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint("kind_known", "outbox_message", type_="check")
    op.create_check_constraint("kind_known", "outbox_message", f"kind IN ({listed})")


def upgrade() -> None:
    after = KINDS.index("declined") + 1
    _kinds([*KINDS[:after], "withdrawn", *KINDS[after:]])


def downgrade() -> None:
    op.execute("DELETE FROM outbox_message WHERE kind = 'withdrawn'")
    _kinds(KINDS)
