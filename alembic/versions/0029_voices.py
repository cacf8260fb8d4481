"""Five who evaluated are five people, one answer each: a locked month keeps whose, beside its counts."""

import sqlalchemy as sa

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLE = "month_satisfaction"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("voices", sa.ARRAY(sa.Uuid()), nullable=True), schema="surveys")
    op.add_column(TABLE, sa.Column("voices_favourable", sa.Integer(), nullable=True), schema="surveys")  # fmt: skip


def downgrade() -> None:
    op.drop_column(TABLE, "voices_favourable", schema="surveys")
    op.drop_column(TABLE, "voices", schema="surveys")
