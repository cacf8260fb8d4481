"""What a unit has that is about to be due is found by an index.

Revision ID: 0018
Revises: 0016
"""

import sqlalchemy as sa

from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "clock_reminding",
        "clock",
        ["unit_id", "remind_at"],
        postgresql_where=sa.text(
            "ended_at IS NULL AND remind_at IS NOT NULL AND steps < 2 AND stage NOT IN ('supplement', 'waiting', 'whole')"
        ),
    )


def downgrade() -> None:
    op.drop_index("clock_reminding", table_name="clock")
