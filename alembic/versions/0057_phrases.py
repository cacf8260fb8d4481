"""Add phrases of units and of persons."""

import sqlalchemy as sa

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "phrase",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("unit_id", sa.Integer(), sa.ForeignKey("unit.id")),
        sa.Column("staff_id", sa.Integer(), sa.ForeignKey("staff.id")),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(unit_id IS NULL) <> (staff_id IS NULL)", name="phrase_of_one_owner"),
        sa.CheckConstraint("char_length(words) BETWEEN 1 AND 500", name="phrase_length"),
    )
    for owner in ("unit", "staff"):
        op.create_index(
            f"phrase_by_{owner}",
            "phrase",
            [f"{owner}_id", "id"],
            postgresql_where=sa.text(f"{owner}_id IS NOT NULL"),
        )
    op.execute("GRANT DELETE ON phrase TO qungong_app")


def downgrade() -> None:
    op.drop_table("phrase")
