"""What the law gives runs as clocks of its own; a calendar's versions tell a published list from other changes."""

import sqlalchemy as sa

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OLD_STAGES = [
    "judge", "supplement", "sign", "handle", "assist", "hand_back_decision", "extension_decision", "wait_decision",
    "supervised_reply", "waiting", "whole",
]  # fmt: skip
STAGES = [*OLD_STAGES, "inform", "statutory"]
STAGED = ["grievance", "clock", "card", "limit_rule"]


def _stages(values: list[str]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    for table in STAGED:
        op.drop_constraint("stage_known", table)
        op.create_check_constraint("stage_known", table, f"stage IN ({listed})")


def upgrade() -> None:
    _stages(STAGES)
    op.add_column(
        "calendar_change",
        sa.Column("publishes", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("calendar_change", "publishes", server_default=None)
    # Nothing that was said is changed: only the new column is filled in.
    op.execute("ALTER TABLE calendar_change DISABLE TRIGGER no_change")
    op.execute("""
    UPDATE calendar_change c SET publishes = true FROM calendar_year y
    WHERE y.county_id = c.county_id AND y.version = c.version
    """)
    op.execute("ALTER TABLE calendar_change ENABLE TRIGGER no_change")


def downgrade() -> None:
    op.drop_column("calendar_change", "publishes")
    _stages(OLD_STAGES)
