"""An appeal is decided by another than who made it, also where one person has posts in two units."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLE, NAME = "appeal", "appeal_decided_by_another"


def upgrade() -> None:
    op.create_check_constraint(
        NAME, TABLE, "decided_by_staff_id <> by_staff_id", postgresql_not_valid=True
    )
    # What was decided otherwise before cannot be changed any more: there it holds for what comes from now on.
    op.execute(f"""
    DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM {TABLE} WHERE decided_by_staff_id = by_staff_id) THEN
        ALTER TABLE {TABLE} VALIDATE CONSTRAINT {NAME};
      END IF;
    END $$""")


def downgrade() -> None:
    op.drop_constraint(NAME, TABLE, type_="check")
