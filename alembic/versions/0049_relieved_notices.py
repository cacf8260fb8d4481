"""Allow the text that tells a unit that another unit or the reporter ended its work on a case."""

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

TEXTS = [
    "one_time_code", "receipt", "supplement_requested", "declined", "withdrawn", "moved", "progress", "answered", "reworked",
    "merged", "extended", "waiting", "survey", "survey_owed", "survey_reminder", "staff_notice", "staff_work", "staff_pressed",
    "staff_decision", "staff_calls", "review_asked", "review_decided",
]  # fmt: skip
NOTICES = ["time", "work", "pressed", "decision", "calls"]


def _kinds(table: str, kinds: list[str]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint("kind_known", table, type_="check")
    op.create_check_constraint("kind_known", table, f"kind IN ({listed})")


def upgrade() -> None:
    _kinds("outbox_message", [*TEXTS, "staff_relieved"])
    _kinds("notice_owed", [*NOTICES, "relieved"])


def downgrade() -> None:
    # A row says only that a notice to sign in was owed or sent.
    op.execute("DELETE FROM notice_owed WHERE kind = 'relieved'")
    op.execute(
        "DELETE FROM texted t USING outbox_message m WHERE m.id = t.message_id AND m.kind = 'staff_relieved'"
    )
    op.execute("DELETE FROM outbox_message WHERE kind = 'staff_relieved'")
    _kinds("notice_owed", NOTICES)
    _kinds("outbox_message", TEXTS)
