"""Words that the system could not read may be read by people as opting out."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

READINGS = ["satisfied", "basically_satisfied", "dissatisfied", "not_an_answer", "call_back"]


def _known(readings: list[str]) -> None:
    listed = ", ".join(f"'{reading}'" for reading in readings)
    op.drop_constraint("reading_known", "reply", type_="check", schema="surveys")
    op.create_check_constraint("reading_known", "reply", f"reading IN ({listed})", schema="surveys")


def upgrade() -> None:
    _known([*READINGS, "opted_out"])


def downgrade() -> None:
    # What followed stays: the number is still out, and the calls are owed.
    op.execute("UPDATE surveys.reply SET reading = 'not_an_answer' WHERE reading = 'opted_out'")
    _known(READINGS)
