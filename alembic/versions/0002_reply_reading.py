"""How staff read a reply that the system could not, and whose reply it was."""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNREAD = sa.text("effect IN ('unclear', 'not_asked') AND handled_at IS NULL")


def upgrade() -> None:
    op.add_column("reply", sa.Column("citizen_id", sa.Uuid(), nullable=True), schema="surveys")
    op.add_column("reply", sa.Column("reading", sa.Text(), nullable=True), schema="surveys")
    # Whose number it is, only the application can tell; of those that met a survey, the survey knows.
    op.execute(
        "UPDATE surveys.reply r SET citizen_id = s.citizen_id FROM surveys.survey s WHERE s.id = r.survey_id"
    )
    op.create_foreign_key(
        "reply_citizen_id_fkey",
        "reply",
        "citizen",
        ["citizen_id"],
        ["id"],
        source_schema="surveys",
    )
    op.create_check_constraint(
        "reading_known",
        "reply",
        "reading IN ('satisfied', 'basically_satisfied', 'dissatisfied', 'not_an_answer')",
        schema="surveys",
    )
    op.create_check_constraint(
        "handled_has_reading",
        "reply",
        "(handled_at IS NULL) = (reading IS NULL) AND (handled_at IS NULL) = (handled_by_staff_id IS NULL)",
        schema="surveys",
    )
    op.drop_index("unread_reply", table_name="reply", schema="surveys", postgresql_where=UNREAD)
    op.create_index(
        "unread_reply",
        "reply",
        ["received_at", "provider_message_id"],
        schema="surveys",
        postgresql_where=UNREAD,
    )


def downgrade() -> None:
    op.drop_index("unread_reply", table_name="reply", schema="surveys", postgresql_where=UNREAD)
    op.create_index(
        "unread_reply", "reply", ["received_at"], schema="surveys", postgresql_where=UNREAD
    )
    op.drop_constraint("handled_has_reading", "reply", schema="surveys", type_="check")
    op.drop_constraint("reading_known", "reply", schema="surveys", type_="check")
    op.drop_constraint("reply_citizen_id_fkey", "reply", schema="surveys", type_="foreignkey")
    op.drop_column("reply", "reading", schema="surveys")
    op.drop_column("reply", "citizen_id", schema="surveys")
