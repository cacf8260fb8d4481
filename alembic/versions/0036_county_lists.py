"""Indexes by which the county's finished cases are filtered by place and category."""

import sqlalchemy as sa

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_FINISHED = "phase NOT IN ('pending', 'handling') AND NOT sealed"
_INDEXES = {
    "grievance_finished_by_village": ("village_id", _FINISHED),
    "grievance_finished_by_first_unit": ("first_unit_id", f"{_FINISHED} AND village_id IS NULL"),
    "grievance_finished_by_category": ("category_id", _FINISHED),
}


def upgrade() -> None:
    for name, (column, where) in _INDEXES.items():
        op.create_index(name, "grievance", [column, "id"], postgresql_where=sa.text(where))


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, "grievance")
