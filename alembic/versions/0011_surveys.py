"""Surveys asked one at a time, reminded, answered and corrected; whose numbers do not speak for a citizen; tries of a call."""

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KINDS = [
    "one_time_code", "receipt", "supplement_requested", "declined", "moved", "progress", "answered", "reworked", "merged",
    "extended", "waiting", "survey", "survey_owed",
]  # fmt: skip
ACTIONS = [
    "register", "request_supplement", "supply", "decline", "object_refusal", "handle", "escalate", "send_down",
    "dispatch", "sign", "hand_back", "settle", "progress", "assist_answer", "excuse", "answer", "rework", "close",
    "press", "instruct", "merge", "withdraw", "extend", "decide_extension", "wait", "decide_wait", "resume",
    "supervise", "reply_supervision", "list", "unlist", "remind", "card", "appeal", "decide_appeal", "reschedule",
    "reassign",
]  # fmt: skip
EFFECTS = ["answered", "thanks", "opted_out", "unclear", "not_asked"]
NEW_EFFECTS = ["corrected", "repeated", "discounted", "opted_in"]
READINGS = ["satisfied", "basically_satisfied", "dissatisfied", "not_an_answer"]
CAUSES = ["dissatisfied", "no_number"]
NEW_CAUSES = ["unit_number", "shared_number", "opted_out", "undelivered", "unread"]
DISCOUNTS = ["unit_number", "own_case", "shared_number", "corrected"]
RESULTS = ["valid", "unreasonable", "not_reached", "evaluated"]
NEW_TABLES = ["call_try", "opt_out"]


def _in(column: str, values: list[str]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


def _again(name: str, table: str, condition: str, schema: str | None = "surveys") -> None:
    op.drop_constraint(name, table, schema=schema, type_="check")
    op.create_check_constraint(name, table, condition, schema=schema)


def upgrade() -> None:
    _whose_numbers()
    _surveys()
    _answers()
    _calls()
    op.create_table(
        "opt_out",
        sa.Column("phone_key", sa.LargeBinary(), nullable=False),
        sa.Column("out_at", MOMENT, nullable=False),
        sa.Column("back_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("phone_key"),
        schema="surveys",
    )
    _again("effect_known", "reply", _in("effect", EFFECTS + NEW_EFFECTS))
    _again("reading_known", "reply", _in("reading", [*READINGS, "call_back"]))
    _again("kind_known", "outbox_message", _in("kind", [*KINDS, "survey_reminder"]), None)
    _again("action_known", "case_event", _in("action", [*ACTIONS, "approve_answer"]), None)


def _whose_numbers() -> None:
    op.create_table(
        "official_number",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_key", sa.LargeBinary(), nullable=False),
        sa.Column("unit_id", sa.Integer(), sa.ForeignKey("unit.id"), nullable=True),
        sa.Column("staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=True),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("entered_by_staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=True),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("removed_by_staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=True),
        sa.CheckConstraint("(unit_id IS NULL) <> (staff_id IS NULL)", name="one_owner"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "official_number_once",
        "official_number",
        ["phone_key", "unit_id", "staff_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "person_as_given",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("grievance.id"), nullable=False),
        sa.Column("phone_key", sa.LargeBinary(), nullable=True),
        sa.Column("name_key", sa.LargeBinary(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index(
        "person_as_given_by_number",
        "person_as_given",
        ["phone_key", "given_at"],
        postgresql_where=sa.text("phone_key IS NOT NULL"),
    )


def _surveys() -> None:
    op.add_column("survey", sa.Column("created_at", MOMENT, nullable=True), schema="surveys")
    op.add_column("survey", sa.Column("next_at", MOMENT, nullable=True), schema="surveys")
    op.execute("UPDATE surveys.survey SET created_at = asked_at")
    op.alter_column("survey", "created_at", nullable=False, schema="surveys")
    for column in ("short_number", "asked_at", "window_ends_at"):
        op.alter_column("survey", column, nullable=True, schema="surveys")
    op.create_check_constraint(
        "asked_has_window",
        "survey",
        "(asked_at IS NULL) = (window_ends_at IS NULL) AND (asked_at IS NULL) = (short_number IS NULL)",
        schema="surveys",
    )
    op.create_check_constraint(
        "turn_comes", "survey", "asked_at IS NOT NULL OR next_at IS NOT NULL", schema="surveys"
    )
    op.create_index(
        "survey_due",
        "survey",
        ["next_at", "id"],
        schema="surveys",
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )


def _answers() -> None:
    op.drop_constraint("answer_pkey", "answer", schema="surveys", type_="primary")
    op.add_column(
        "answer",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")),
        schema="surveys",
    )
    op.create_primary_key("answer_pkey", "answer", ["id"], schema="surveys")
    op.add_column("answer", sa.Column("discounted", sa.Text(), nullable=True), schema="surveys")
    op.create_check_constraint(
        "discounted_known", "answer", _in("discounted", DISCOUNTS), schema="surveys"
    )
    op.create_index("answer_by_survey", "answer", ["survey_id"], schema="surveys")
    op.create_index(
        "one_answer_counts",
        "answer",
        ["survey_id"],
        unique=True,
        schema="surveys",
        postgresql_where=sa.text("discounted IS NULL"),
    )


def _calls() -> None:
    _again("cause_known", "return_call", _in("cause", CAUSES + NEW_CAUSES))
    _again(
        "done_has_result",
        "return_call",
        "state = 'done' AND result IS NOT NULL OR state = 'open' AND (result IS NULL OR result = 'not_reached')",
    )
    op.create_table(
        "call_try",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), sa.ForeignKey("surveys.return_call.id"), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by_staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=False),
        sa.CheckConstraint(_in("result", RESULTS), name="result_known"),
        sa.PrimaryKeyConstraint("id"),
        schema="surveys",
    )
    op.create_index("call_try_by_call", "call_try", ["call_id"], schema="surveys")


def downgrade() -> None:
    """What the tables before had no place for is lost: questions not asked yet, answers that do not count, tries.

    A record that holds an approval cannot go back, since nothing is taken from a record.
    """
    _again("action_known", "case_event", _in("action", ACTIONS), None)
    _again("kind_known", "outbox_message", _in("kind", KINDS), None)
    _again("reading_known", "reply", _in("reading", READINGS))
    _again("effect_known", "reply", _in("effect", EFFECTS))
    for table in NEW_TABLES:
        op.drop_table(table, schema="surveys")
    op.execute(
        "UPDATE surveys.return_call SET state = 'open' WHERE state = 'done' AND result = 'not_reached'"
    )
    _again(
        "done_has_result",
        "return_call",
        "(state = 'done') = (result IS NOT NULL AND result <> 'not_reached')",
    )
    op.execute("UPDATE surveys.return_call SET cause = 'no_number' WHERE cause <> 'dissatisfied'")
    _again("cause_known", "return_call", _in("cause", CAUSES))
    op.drop_index(
        "one_answer_counts",
        "answer",
        schema="surveys",
        postgresql_where=sa.text("discounted IS NULL"),
    )
    op.drop_index("answer_by_survey", "answer", schema="surveys")
    op.execute("DELETE FROM surveys.answer WHERE discounted IS NOT NULL")
    op.drop_column("answer", "discounted", schema="surveys")
    op.drop_constraint("answer_pkey", "answer", schema="surveys", type_="primary")
    op.drop_column("answer", "id", schema="surveys")
    op.create_primary_key("answer_pkey", "answer", ["survey_id"], schema="surveys")
    op.drop_index(
        "survey_due",
        "survey",
        schema="surveys",
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.drop_constraint("turn_comes", "survey", schema="surveys", type_="check")
    op.drop_constraint("asked_has_window", "survey", schema="surveys", type_="check")
    op.execute(
        "UPDATE surveys.survey SET asked_at = created_at, window_ends_at = created_at + INTERVAL '7 days', short_number = 99"
        " WHERE asked_at IS NULL"
    )
    for column in ("short_number", "asked_at", "window_ends_at"):
        op.alter_column("survey", column, nullable=False, schema="surveys")
    for column in ("next_at", "created_at"):
        op.drop_column("survey", column, schema="surveys")
    op.drop_index(
        "person_as_given_by_number",
        "person_as_given",
        postgresql_where=sa.text("phone_key IS NOT NULL"),
    )
    op.drop_table("person_as_given")
    op.drop_table("official_number")
