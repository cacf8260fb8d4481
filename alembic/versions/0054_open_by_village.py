"""Index open cases by village: what is being typed is compared with what is open nearby."""

import sqlalchemy as sa

from alembic import op

revision = "0054"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "grievance_open_by_village",
        "grievance",
        ["village_id", "id"],
        postgresql_where=sa.text("phase IN ('pending', 'handling') AND NOT sealed"),
    )


def downgrade() -> None:
    op.drop_index("grievance_open_by_village", "grievance")
