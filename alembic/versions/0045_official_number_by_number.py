"""Official numbers are found by their number, also those that were removed.

Revision ID: 0045
Revises: 0044
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("official_number_by_number", "official_number", ["phone_key"])


def downgrade() -> None:
    op.drop_index("official_number_by_number", table_name="official_number")
