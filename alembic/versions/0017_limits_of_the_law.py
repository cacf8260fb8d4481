"""A calendar's versions tell a published list from other changes."""

import sqlalchemy as sa

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
