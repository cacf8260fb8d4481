"""Work that comes to a unit shows in its lists, and its staff are texted about it by kind."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

KINDS = [
    "one_time_code", "receipt", "supplement_requested", "declined", "withdrawn", "moved", "progress", "answered", "reworked",
    "merged", "extended", "waiting", "survey", "survey_owed", "survey_reminder", "staff_notice",
]  # fmt: skip
TO_STAFF = ["staff_work", "staff_pressed", "staff_decision", "staff_calls"]


def _kinds(kinds: list[str]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint("kind_known", "outbox_message", type_="check")
    op.create_check_constraint("kind_known", "outbox_message", f"kind IN ({listed})")


def upgrade() -> None:
    _kinds([*KINDS, *TO_STAFF])
    op.add_column("grievance", sa.Column("news", JSONB()))
    op.create_table(
        "notice_owed",
        sa.Column("unit_id", sa.Integer(), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("unit_id", "kind", "day", "staff_id"),
        sa.CheckConstraint(
            "kind IN ('time', 'work', 'pressed', 'decision', 'calls')", name="kind_known"
        ),
    )
    op.create_index(
        "notice_due",
        "notice_owed",
        ["due_at", "unit_id"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("notice_owed")
    op.drop_column("grievance", "news")
    # A row says only that a notice to sign in was sent.
    told = ", ".join(f"'{kind}'" for kind in TO_STAFF)
    op.execute(
        f"DELETE FROM texted t USING outbox_message m WHERE m.id = t.message_id AND m.kind IN ({told})"  # noqa: S608 - constants
    )
    op.execute(f"DELETE FROM outbox_message WHERE kind IN ({told})")  # noqa: S608 - constants
    _kinds(KINDS)
