"""Why a text needs a person, its turns, the channel to the provider, and what a number was sent."""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
STATES = [
    "queued", "sending", "accepted", "delivered", "undelivered", "failed", "expired", "unknown", "needs_human", "done",
]  # fmt: skip
WHYS = [
    "number_unusable", "not_textable", "opted_out", "content", "refused", "tried_out", "never_known", "undelivered", "expired",
    "identical", "over_limit", "broken",
]  # fmt: skip
PARTIAL = {
    "outbox_codes_due": (["due_at", "id"], "state = 'queued' AND kind = 'one_time_code'"),
    "outbox_expiring": (["expires_at"], "state = 'queued' AND kind <> 'survey_owed'"),
    "outbox_needs_human": (["id"], "state = 'needs_human'"),
}
# How a text ended, and who decided what followed, stays.
KEEP_TURN = """
CREATE FUNCTION keep_ended_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'ended_turn is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
GUARD_TURN = """
CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ended_turn
FOR EACH STATEMENT EXECUTE FUNCTION keep_ended_turn()
"""


def _in(values: list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def upgrade() -> None:
    op.add_column("outbox_message", sa.Column("why", sa.Text(), nullable=True))
    op.add_column(
        "outbox_message", sa.Column("turn", sa.Integer(), nullable=False, server_default="1")
    )
    op.alter_column("outbox_message", "turn", server_default=None)
    op.add_column("outbox_message", sa.Column("reported", sa.Text(), nullable=True))
    # What was known of a message before is what the provider told, or what we thought of it.
    op.execute(
        "UPDATE outbox_message SET reported = state WHERE state IN ('delivered', 'undelivered') OR state = 'failed' AND provider_id IS NOT NULL"
    )
    op.execute("UPDATE outbox_message SET why = 'tried_out' WHERE state = 'needs_human'")
    op.create_check_constraint("why_known", "outbox_message", f"why IN ({_in(WHYS)})")
    op.create_check_constraint("reported_known", "outbox_message", f"reported IN ({_in(STATES)})")
    op.create_check_constraint(
        "needs_human_says_why", "outbox_message", "state <> 'needs_human' OR why IS NOT NULL"
    )
    for name, (columns, where) in PARTIAL.items():
        op.create_index(name, "outbox_message", columns, postgresql_where=sa.text(where))
    op.create_table(
        "sms_channel",
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("paced_until", MOMENT, nullable=False),
        sa.Column("paused_since", MOMENT, nullable=True),
        sa.Column("paused_until", MOMENT, nullable=True),
        sa.Column("paused_why", sa.Text(), nullable=True),
        sa.Column("pauses", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(60), nullable=True),
        sa.Column("probe_until", MOMENT, nullable=True),
        sa.CheckConstraint("paused_why IN ('account', 'unreachable')", name="paused_why_known"),
        sa.CheckConstraint(
            "(paused_since IS NULL) = (paused_until IS NULL) AND (paused_since IS NULL) = (paused_why IS NULL)",
            name="sms_channel_pause_says_why",
        ),
        sa.PrimaryKeyConstraint("provider"),
    )
    op.create_table(
        "texted",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("phone_key", sa.LargeBinary(), nullable=False),
        sa.Column("words_key", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["outbox_message.id"]),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index("texted_by_phone", "texted", ["phone_key", "at"])
    op.create_index("texted_by_age", "texted", ["at"])
    op.create_table(
        "ended_turn",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("error", sa.String(60), nullable=True),
        sa.Column("provider_id", sa.String(64), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("followed_by", sa.Text(), nullable=False),
        sa.Column("by_staff_id", sa.Integer(), nullable=True),
        sa.Column("by_unit_id", sa.Integer(), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(f"state IN ({_in(STATES)})", name="state_known"),
        sa.CheckConstraint(f"why IN ({_in(WHYS)})", name="why_known"),
        sa.CheckConstraint(
            "followed_by IN ('retried', 'resent', 'settled')", name="followed_by_known"
        ),
        sa.CheckConstraint(
            "(followed_by = 'retried') = (by_staff_id IS NULL) AND (by_staff_id IS NULL) = (reason_sealed IS NULL) "
            "AND (by_staff_id IS NULL) = (by_unit_id IS NULL)",
            name="ended_turn_by_person_with_reason",
        ),
        sa.ForeignKeyConstraint(["message_id"], ["outbox_message.id"]),
        sa.ForeignKeyConstraint(["by_staff_id"], ["staff.id"]),
        sa.ForeignKeyConstraint(["by_unit_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("message_id", "turn"),
    )
    op.create_index(
        "ended_turn_by_provider_id",
        "ended_turn",
        ["provider_id"],
        unique=True,
        postgresql_where=sa.text("provider_id IS NOT NULL"),
    )
    op.execute(KEEP_TURN)
    op.execute(GUARD_TURN)


def downgrade() -> None:
    op.drop_table("ended_turn")
    op.execute("DROP FUNCTION keep_ended_turn()")
    op.drop_table("texted")
    op.drop_table("sms_channel")
    for name in PARTIAL:
        op.drop_index(name, "outbox_message")
    for name in ("needs_human_says_why", "reported_known", "why_known"):
        op.drop_constraint(name, "outbox_message")
    for name in ("reported", "turn", "why"):
        op.drop_column("outbox_message", name)
