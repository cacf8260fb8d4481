"""A case's assignments are found by their case, also those that are no longer open.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("assignment_by_case", "assignment", ["case_id", "round"])


def downgrade() -> None:
    op.drop_index("assignment_by_case", table_name="assignment")
