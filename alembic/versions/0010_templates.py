"""The words of text messages as providers approve them: an approval is of exactly these words."""

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "text_template",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("template_code", sa.String(length=60), nullable=True),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_staff_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "approval IN ('pending', 'approved', 'rejected')", name="approval_known"
        ),
        sa.CheckConstraint(
            "approval <> 'approved' OR template_code IS NOT NULL", name="approved_has_code"
        ),
        sa.CheckConstraint("approval <> 'rejected' OR reason <> ''", name="rejected_has_reason"),
        sa.ForeignKeyConstraint(["changed_by_staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("provider", "kind", "words", name="one_template_for_words"),
    )


def downgrade() -> None:
    op.drop_table("text_template")
