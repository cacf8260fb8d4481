"""A text that was accepted and never reported on is asked after, and ends."""

import sqlalchemy as sa

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLE = "outbox_message"
PARTIAL = {
    "outbox_unreported": ("lease_until", "state = 'accepted' AND settled_at IS NULL"),
    "outbox_never_reported": ("settled_at", "state = 'accepted' AND settled_at IS NOT NULL"),
}


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("inquiries", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column(TABLE, "inquiries", server_default=None)
    # What is a week old nobody acts on any more: a survey's window is over by then. The rest is asked after from now on.
    op.execute(
        "UPDATE outbox_message SET settled_at = now(), lease_until = NULL, lease_token = NULL"
        " WHERE state = 'accepted' AND created_at < now() - interval '7 days'"
    )
    op.execute(
        "UPDATE outbox_message SET lease_until = greatest(now(), due_at + interval '2 hours'), lease_token = NULL"
        " WHERE state = 'accepted' AND settled_at IS NULL"
    )
    for name, (column, where) in PARTIAL.items():
        op.create_index(name, TABLE, [column], postgresql_where=sa.text(where))


def downgrade() -> None:
    for name in PARTIAL:
        op.drop_index(name, TABLE)
    op.execute(
        "UPDATE outbox_message SET settled_at = NULL, lease_until = NULL, lease_token = NULL WHERE state = 'accepted'"
    )
    op.drop_column(TABLE, "inquiries")
