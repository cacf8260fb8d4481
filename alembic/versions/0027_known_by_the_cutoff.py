"""A month is what was known at its cut-off: what units carried on since is found, and words read since correct it."""

import sqlalchemy as sa

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

CORRECTION = "satisfaction_correction"
READ = "reading IN ('satisfied', 'basically_satisfied', 'dissatisfied')"
CAUSES = ["card_issued", "card_revoked", "recount"]


def _known(causes: list[str]) -> None:
    listed = ", ".join(f"'{cause}'" for cause in causes)
    op.drop_constraint("cause_known", "month_correction", type_="check")
    op.create_check_constraint("cause_known", "month_correction", f"cause IN ({listed})")


def upgrade() -> None:
    op.create_index(
        "case_event_reassigned", "case_event", ["at", "case_id"], postgresql_where=sa.text("action = 'reassign'")
    )  # fmt: skip
    op.create_index("reply_read_by_hand", "reply", ["handled_at"], schema="surveys", postgresql_where=sa.text(READ))  # fmt: skip
    op.add_column(CORRECTION, sa.Column("reply_id", sa.String(), nullable=True), schema="surveys")
    op.create_foreign_key(
        "satisfaction_correction_reply_id_fkey", CORRECTION, "reply", ["reply_id"], ["provider_message_id"],
        source_schema="surveys", referent_schema="surveys",
    )  # fmt: skip
    op.create_index(
        "one_correction_a_reply", CORRECTION, ["reply_id", "measure", "staff_id"], unique=True, schema="surveys",
        postgresql_nulls_not_distinct=True, postgresql_where=sa.text("reply_id IS NOT NULL"),
    )  # fmt: skip
    _known([*CAUSES, "answer_read"])
    op.add_column(
        "month_satisfaction",
        sa.Column("township_id", sa.Integer(), nullable=True),
        schema="surveys",
    )
    op.create_foreign_key(
        "month_satisfaction_township_id_fkey", "month_satisfaction", "unit", ["township_id"], ["id"],
        source_schema="surveys", referent_schema="public",
    )  # fmt: skip


def downgrade() -> None:
    op.drop_column("month_satisfaction", "township_id", schema="surveys")
    _known(CAUSES)
    op.drop_index("one_correction_a_reply", CORRECTION, schema="surveys")
    op.drop_column(CORRECTION, "reply_id", schema="surveys")
    op.drop_index("reply_read_by_hand", "reply", schema="surveys")
    op.drop_index("case_event_reassigned", "case_event")
