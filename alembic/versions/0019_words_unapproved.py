"""A text whose words the provider has not approved says so to the person who sees to it."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BEFORE = [
    "number_unusable", "not_textable", "opted_out", "content", "refused", "tried_out", "never_known", "undelivered", "expired",
    "identical", "over_limit", "broken",
]  # fmt: skip
ADDED = {"template_pending": "content", "template_rejected": "content"}
TABLES = ("outbox_message", "ended_turn")


def _known(values: list[str]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    for table in TABLES:
        op.drop_constraint("why_known", table)
        op.create_check_constraint("why_known", table, f"why IN ({listed})")


def upgrade() -> None:
    _known([*BEFORE, *ADDED])
    # What still waits for a person says it from now on; how turns ended stays as it was written.
    op.execute(
        "UPDATE outbox_message SET why = error WHERE state = 'needs_human' AND why = 'content' AND error IN ('template_pending', 'template_rejected')"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE ended_turn DISABLE TRIGGER no_change")
    for table in TABLES:
        for value, former in ADDED.items():
            op.execute(f"UPDATE {table} SET why = '{former}' WHERE why = '{value}'")  # noqa: S608 - constants of this module
    op.execute("ALTER TABLE ended_turn ENABLE TRIGGER no_change")
    _known(BEFORE)
