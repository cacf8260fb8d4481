"""Add the list of responsibilities: which unit leads cases of a category."""

import sqlalchemy as sa

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "responsibility",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("county_id", sa.Integer(), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("category_id", sa.Integer(), sa.ForeignKey("category.id"), nullable=False),
        sa.Column("unit_id", sa.Integer(), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by_staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("ended_by_staff_id", sa.Integer(), sa.ForeignKey("staff.id")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by_staff_id IS NULL)", name="responsibility_ended_by"
        ),
    )
    op.create_index(
        "responsibility_in_force",
        "responsibility",
        ["county_id", "category_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.execute("GRANT UPDATE (ended_at, ended_by_staff_id) ON responsibility TO qungong_app")


def downgrade() -> None:
    op.drop_table("responsibility")
