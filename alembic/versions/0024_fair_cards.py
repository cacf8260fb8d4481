"""Each moment of a limit is certain or not by itself; ended ones with a card to come follow the calendar; objections hold."""

import sqlalchemy as sa

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INDEX = ("clock_by_calendar", "clock", ["county_id", "calendar_version", "id"])


def upgrade() -> None:
    op.add_column(
        "clock", sa.Column("certain_steps", sa.Integer(), nullable=False, server_default="3")
    )
    op.alter_column("clock", "certain_steps", server_default=None)
    op.add_column("clock", sa.Column("held_at", sa.DateTime(timezone=True)))
    op.add_column("clock", sa.Column("taken_at", sa.DateTime(timezone=True)))
    # Computed anew by the workers, as if the calendar had changed: then each moment says for itself whether it is certain.
    op.execute("UPDATE clock SET certain_steps = 0, calendar_version = 0 WHERE provisional")
    op.drop_index("clock_by_calendar", "clock")
    op.create_index(
        *INDEX, postgresql_where=sa.text("(ended_at IS NULL OR provisional OR next_at IS NOT NULL)")
    )


def downgrade() -> None:
    op.drop_index("clock_by_calendar", "clock")
    op.create_index(*INDEX, postgresql_where=sa.text("ended_at IS NULL OR provisional"))
    op.drop_column("clock", "taken_at")
    op.drop_column("clock", "held_at")
    op.drop_column("clock", "certain_steps")
