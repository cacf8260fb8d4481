"""A unit whose part has ended may be given another in the same round, when the case is dispatched again."""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = ["case_id", "round", "unit_id"]


def upgrade() -> None:
    op.drop_index("one_part_a_unit", "assignment")
    op.create_index(
        "one_part_a_unit",
        "assignment",
        COLUMNS,
        unique=True,
        postgresql_where=sa.text("state IN ('offered', 'signed')"),
    )


def downgrade() -> None:
    op.drop_index("one_part_a_unit", "assignment")
    op.create_index(
        "one_part_a_unit",
        "assignment",
        COLUMNS,
        unique=True,
        postgresql_where=sa.text("state NOT IN ('handed_back', 'released')"),
    )
