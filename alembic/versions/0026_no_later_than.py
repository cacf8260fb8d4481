"""A text that asks for an evaluation knows until when it can be answered, also where a person has it sent again."""

import sqlalchemy as sa

from alembic import op

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLE, COLUMN = "outbox_message", "no_later_than"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column(COLUMN, sa.DateTime(timezone=True)))
    for kind, once in (("survey", "survey-text/"), ("survey_reminder", "survey-reminder/")):
        op.execute(
            f"UPDATE {TABLE} m SET {COLUMN} = s.window_ends_at FROM surveys.survey s"  # noqa: S608 - constants of our own
            f" WHERE m.kind = '{kind}' AND m.once = '{once}' || CAST(s.id AS text)"
        )


def downgrade() -> None:
    op.drop_column(TABLE, COLUMN)
