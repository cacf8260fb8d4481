"""Why a text was not even read: it had no words, was too long, or took too long to read."""

import sqlalchemy as sa

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reply", sa.Column("not_read", sa.Text(), nullable=True), schema="surveys")
    op.create_check_constraint(
        "not_read_known",
        "reply",
        "not_read IN ('no_words', 'too_long', 'too_slow')",
        schema="surveys",
    )


def downgrade() -> None:
    op.drop_constraint("not_read_known", "reply", schema="surveys", type_="check")
    op.drop_column("reply", "not_read", schema="surveys")
