"""Index cases by who entered them: staff see what they registered for people."""

import sqlalchemy as sa

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "grievance_by_entering_staff",
        "grievance",
        ["entered_by_staff_id", "id"],
        postgresql_where=sa.text("entered_by_staff_id IS NOT NULL AND NOT sealed"),
    )


def downgrade() -> None:
    op.drop_index("grievance_by_entering_staff", "grievance")
