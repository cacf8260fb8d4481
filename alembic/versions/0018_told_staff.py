"""Staff are told: what is about to be due is found by an index, and a text owed to the numbers of whoever is meant.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa

from alembic import op

revision = "0018"
down_revision = "0017"
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
]


def _kinds(kinds: list[str]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint("kind_known", "outbox_message", type_="check")
    op.create_check_constraint("kind_known", "outbox_message", f"kind IN ({listed})")


def upgrade() -> None:
    _kinds([*KINDS, "staff_notice"])
    op.create_index(
        "clock_reminding",
        "clock",
        ["unit_id", "remind_at"],
        postgresql_where=sa.text(
            "ended_at IS NULL AND remind_at IS NOT NULL AND steps < 2 AND stage NOT IN ('inform', 'statutory', 'supplement', 'waiting', 'whole')"
        ),
    )
    for owner in ("unit", "staff"):
        op.create_index(
            f"official_number_of_{owner}",
            "official_number",
            [f"{owner}_id"],
            postgresql_where=sa.text("removed_at IS NULL"),
        )


def downgrade() -> None:
    for owner in ("unit", "staff"):
        op.drop_index(f"official_number_of_{owner}", table_name="official_number")
    op.drop_index("clock_reminding", table_name="clock")
    # A row says only that a notice to sign in was sent.
    op.execute(
        "DELETE FROM texted t USING outbox_message m WHERE m.id = t.message_id AND m.kind = 'staff_notice'"
    )
    op.execute("DELETE FROM outbox_message WHERE kind = 'staff_notice'")
    _kinds(KINDS)
