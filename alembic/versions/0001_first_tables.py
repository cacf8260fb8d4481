"""The first tables, and the guards that keep the record append-only."""

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# What has been recorded stays: not even the table's owner changes it by accident.
KEEP_RECORD = """
CREATE FUNCTION keep_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'case_event is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
GUARDS = [
    "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON case_event FOR EACH ROW EXECUTE FUNCTION keep_record()",
    "CREATE TRIGGER no_truncation BEFORE TRUNCATE ON case_event FOR EACH STATEMENT EXECUTE FUNCTION keep_record()",
    # Those who are given rights later get none of these by the way.
    "REVOKE UPDATE, DELETE, TRUNCATE ON case_event FROM PUBLIC",
]


def upgrade() -> None:
    op.execute("CREATE SCHEMA surveys")
    op.create_table(
        "category",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name="category_level"),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["category.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("path"),
    )
    op.create_index("category_by_parent", "category", ["parent_id"], unique=False)
    op.create_table(
        "event_text",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", "seq", "field"),
    )
    op.create_table(
        "failed_sign_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_key", sa.LargeBinary(), nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "failed_sign_in_by_account", "failed_sign_in", ["account_key", "at"], unique=False
    )
    op.create_index(
        "failed_sign_in_by_address", "failed_sign_in", ["address_key", "at"], unique=False
    )
    op.create_table(
        "given_answer",
        sa.Column("owner", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "key"),
    )
    op.create_index("given_answer_by_age", "given_answer", ["created_at"], unique=False)
    op.create_table(
        "one_time_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_key", sa.LargeBinary(), nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_time_code_by_address", "one_time_code", ["address_key", "created_at"], unique=False
    )
    op.create_index(
        "one_time_code_by_phone", "one_time_code", ["phone_key", "created_at"], unique=False
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account"),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("short_name", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("county_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("successor_id", sa.Integer(), nullable=True),
        sa.Column("head_approves", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('province', 'city', 'county', 'township', 'village', 'department', 'command_center', 'discipline')",
            name="kind_known",
        ),
        sa.CheckConstraint("parent_id <> id", name="unit_not_its_own_parent"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="unit_valid_range"),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"],
            ["unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index("unit_by_county", "unit", ["county_id", "kind"], unique=False)
    op.create_index("unit_by_parent", "unit", ["parent_id"], unique=False)
    op.create_table(
        "worker_heartbeat",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("worker", sa.String(length=40), nullable=False),
        sa.Column("host", sa.String(length=120), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "worker_heartbeat_by_worker", "worker_heartbeat", ["worker", "beat_at"], unique=False
    )
    op.create_table(
        "citizen",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_key", sa.LargeBinary(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("village_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["village_id"],
            ["unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("phone_key"),
    )
    op.create_table(
        "post",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "role IN ('village_cadre', 'township_clerk', 'unit_handler', 'unit_head', 'dispatcher', 'supervisor', 'leader', 'administrator')",
            name="role_known",
        ),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="post_valid_range"),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("post_by_staff", "post", ["staff_id"], unique=False)
    op.create_index("post_by_unit", "post", ["unit_id"], unique=False)
    op.create_table(
        "grievance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("tracking_key", sa.LargeBinary(), nullable=False),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=True),
        sa.Column("first_unit_id", sa.Integer(), nullable=False),
        sa.Column("entered_by_unit_id", sa.Integer(), nullable=True),
        sa.Column("entered_by_staff_id", sa.Integer(), nullable=True),
        sa.Column("citizen_id", sa.Uuid(), nullable=True),
        sa.Column("textable", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("accused_unit_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("holder_unit_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("stage_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage_rule", sa.String(length=120), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting", sa.Text(), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.Column("refusals_objected", sa.Integer(), nullable=False),
        sa.Column("presses", sa.Integer(), nullable=False),
        sa.Column("pressed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("primary_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("supplement_asked_by", sa.Integer(), nullable=True),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("event_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(phase = 'merged') = (primary_id IS NOT NULL)", name="merged_has_primary"
        ),
        sa.CheckConstraint(
            "channel IN ('poster', 'cadre', 'clerk', 'hotline')", name="channel_known"
        ),
        sa.CheckConstraint("kind <> 'accusation' OR sealed", name="accusation_sealed"),
        sa.CheckConstraint(
            "kind IN ('question', 'suggestion', 'help', 'complaint', 'accusation')",
            name="kind_known",
        ),
        sa.CheckConstraint(
            "outcome IN ('solved', 'explained', 'partly_solved', 'passed_on')", name="outcome_known"
        ),
        sa.CheckConstraint(
            "phase IN ('pending', 'handling', 'answered', 'closed', 'declined', 'withdrawn', 'merged')",
            name="phase_known",
        ),
        sa.CheckConstraint(
            "phase NOT IN ('answered', 'closed') OR answered_at IS NOT NULL",
            name="answered_has_moment",
        ),
        sa.CheckConstraint(
            "stage IN ('judge', 'supplement', 'sign', 'handle', 'assist', 'hand_back_decision')",
            name="stage_known",
        ),
        sa.CheckConstraint(
            "waiting IN ('supplement', 'outside_authority', 'suspended')", name="waiting_known"
        ),
        sa.ForeignKeyConstraint(
            ["accused_unit_id"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["category.id"],
        ),
        sa.ForeignKeyConstraint(
            ["citizen_id"],
            ["citizen.id"],
        ),
        sa.ForeignKeyConstraint(
            ["county_id"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["entered_by_staff_id"],
            ["staff.id"],
        ),
        sa.ForeignKeyConstraint(
            ["entered_by_unit_id"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["first_unit_id"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["holder_unit_id"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["primary_id"],
            ["grievance.id"],
        ),
        sa.ForeignKeyConstraint(
            ["supplement_asked_by"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["village_id"],
            ["unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ref"),
    )
    op.create_index("grievance_by_citizen", "grievance", ["citizen_id", "id"], unique=False)
    op.create_index(
        "grievance_finished_by_county",
        "grievance",
        ["county_id", "id"],
        unique=False,
        postgresql_where=sa.text("phase NOT IN ('pending', 'handling') AND NOT sealed"),
    )
    op.create_index(
        "grievance_merged_into",
        "grievance",
        ["primary_id"],
        unique=False,
        postgresql_where=sa.text("primary_id IS NOT NULL"),
    )
    op.create_index(
        "grievance_open_by_county",
        "grievance",
        ["county_id", "phase", "stage_due_at", "id"],
        unique=False,
        postgresql_where=sa.text("phase IN ('pending', 'handling') AND NOT sealed"),
    )
    op.create_index(
        "grievance_open_by_holder",
        "grievance",
        ["holder_unit_id", "phase", "stage_due_at", "id"],
        unique=False,
        postgresql_where=sa.text("phase IN ('pending', 'handling')"),
    )
    op.create_index(
        "grievance_stage_due",
        "grievance",
        ["stage_due_at"],
        unique=False,
        postgresql_where=sa.text("phase IN ('pending', 'handling') AND waiting IS NULL"),
    )
    op.create_index(
        "grievance_to_close",
        "grievance",
        ["close_at"],
        unique=False,
        postgresql_where=sa.text("phase = 'answered'"),
    )
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("citizen_id", sa.Uuid(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("params_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("once", sa.String(length=120), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("error", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind = 'survey_owed' OR (citizen_id IS NULL) <> (phone_sealed IS NULL)",
            name="one_recipient",
        ),
        sa.CheckConstraint(
            "kind IN ('one_time_code', 'receipt', 'supplement_requested', 'declined', 'moved', 'progress', 'answered', 'reworked', 'merged', 'survey', 'survey_owed')",
            name="kind_known",
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'accepted', 'delivered', 'undelivered', 'failed', 'expired', 'unknown', 'needs_human', 'done')",
            name="state_known",
        ),
        sa.ForeignKeyConstraint(
            ["citizen_id"],
            ["citizen.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("once"),
    )
    op.create_index("outbox_by_case", "outbox_message", ["case_id"], unique=False)
    op.create_index(
        "outbox_by_provider_id",
        "outbox_message",
        ["provider_id"],
        unique=True,
        postgresql_where=sa.text("provider_id IS NOT NULL"),
    )
    op.create_index(
        "outbox_due",
        "outbox_message",
        ["due_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'queued' AND kind <> 'survey_owed'"),
    )
    op.create_index(
        "outbox_surveys_due",
        "outbox_message",
        ["due_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'queued' AND kind = 'survey_owed'"),
    )
    op.create_index(
        "outbox_under_way",
        "outbox_message",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state IN ('sending', 'unknown')"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("post_id", sa.Integer(), nullable=True),
        sa.Column("citizen_id", sa.Uuid(), nullable=True),
        sa.Column("device", sa.String(length=120), nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(staff_id IS NULL) <> (citizen_id IS NULL)", name="session_of_one_person"
        ),
        sa.CheckConstraint("(staff_id IS NULL) = (post_id IS NULL)", name="session_staff_has_post"),
        sa.ForeignKeyConstraint(
            ["citizen_id"],
            ["citizen.id"],
        ),
        sa.ForeignKeyConstraint(
            ["post_id"],
            ["post.id"],
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_digest"),
    )
    op.create_index(
        "session_by_citizen",
        "session",
        ["citizen_id"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_index(
        "session_by_staff",
        "session",
        ["staff_id"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_index(
        "session_by_staff_and_address",
        "session",
        ["staff_id", "address_key"],
        unique=False,
        postgresql_where=sa.text("staff_id IS NOT NULL"),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("given_by_unit_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sign_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hand_back_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hand_back_settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('lead', 'assist')", name="role_known"),
        sa.CheckConstraint(
            "state IN ('offered', 'signed', 'answered', 'excused', 'handed_back', 'released')",
            name="state_known",
        ),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["grievance.id"],
        ),
        sa.ForeignKeyConstraint(
            ["given_by_unit_id"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "assignment_open_by_unit",
        "assignment",
        ["unit_id", "case_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('offered', 'signed')"),
    )
    op.create_index(
        "one_lead_a_round",
        "assignment",
        ["case_id", "round"],
        unique=True,
        postgresql_where=sa.text("role = 'lead' AND state NOT IN ('handed_back', 'released')"),
    )
    op.create_index(
        "one_part_a_unit",
        "assignment",
        ["case_id", "round", "unit_id"],
        unique=True,
        postgresql_where=sa.text("state NOT IN ('handed_back', 'released')"),
    )
    op.create_table(
        "case_event",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "action IN ('register', 'request_supplement', 'supply', 'decline', 'object_refusal', 'handle', 'escalate', 'send_down', 'dispatch', 'sign', 'hand_back', 'settle', 'progress', 'assist_answer', 'excuse', 'answer', 'rework', 'close', 'press', 'instruct', 'merge', 'withdraw')",
            name="action_known",
        ),
        sa.CheckConstraint("seq > 0", name="event_seq_positive"),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["grievance.id"],
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["unit.id"],
        ),
        sa.PrimaryKeyConstraint("case_id", "seq"),
    )
    op.create_table(
        "case_party",
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["grievance.id"],
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["unit.id"],
        ),
        sa.PrimaryKeyConstraint("unit_id", "case_id"),
    )
    op.create_table(
        "photo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("citizen_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(citizen_id IS NULL) <> (staff_id IS NULL)", name="photo_of_one_person"
        ),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["grievance.id"],
        ),
        sa.ForeignKeyConstraint(
            ["citizen_id"],
            ["citizen.id"],
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "photo_by_case",
        "photo",
        ["case_id"],
        unique=False,
        postgresql_where=sa.text("case_id IS NOT NULL"),
    )
    op.create_index(
        "photo_unattached",
        "photo",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("case_id IS NULL"),
    )
    op.create_table(
        "survey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("citizen_id", sa.Uuid(), nullable=False),
        sa.Column("short_number", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("window_ends_at > asked_at", name="survey_window"),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["grievance.id"],
        ),
        sa.ForeignKeyConstraint(
            ["citizen_id"],
            ["citizen.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "round", "citizen_id", name="one_survey_a_round_and_person"),
        schema="surveys",
    )
    op.create_index(
        "survey_by_citizen",
        "survey",
        ["citizen_id", "window_ends_at"],
        unique=False,
        schema="surveys",
    )
    op.create_table(
        "answer",
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("remark_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('text', 'page', 'return_call')", name="channel_known"),
        sa.CheckConstraint(
            "value IN ('satisfied', 'basically_satisfied', 'dissatisfied')", name="value_known"
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"],
            ["surveys.survey.id"],
        ),
        sa.PrimaryKeyConstraint("survey_id"),
        schema="surveys",
    )
    op.create_table(
        "reply",
        sa.Column("provider_message_id", sa.String(length=64), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by_staff_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "effect IN ('answered', 'thanks', 'opted_out', 'unclear', 'not_asked')",
            name="effect_known",
        ),
        sa.ForeignKeyConstraint(
            ["handled_by_staff_id"],
            ["staff.id"],
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"],
            ["surveys.survey.id"],
        ),
        sa.PrimaryKeyConstraint("provider_message_id"),
        schema="surveys",
    )
    op.create_index(
        "unread_reply",
        "reply",
        ["received_at"],
        unique=False,
        schema="surveys",
        postgresql_where=sa.text("effect IN ('unclear', 'not_asked') AND handled_at IS NULL"),
    )
    op.create_table(
        "return_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_by_staff_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (result IS NOT NULL AND result <> 'not_reached')",
            name="done_has_result",
        ),
        sa.CheckConstraint("cause IN ('dissatisfied', 'no_number')", name="cause_known"),
        sa.CheckConstraint(
            "result IN ('valid', 'unreasonable', 'not_reached', 'evaluated')", name="result_known"
        ),
        sa.CheckConstraint("state IN ('open', 'done')", name="state_known"),
        sa.ForeignKeyConstraint(
            ["called_by_staff_id"],
            ["staff.id"],
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"],
            ["surveys.survey.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("survey_id", name="one_return_call_a_survey"),
        schema="surveys",
    )
    op.create_index(
        "return_call_open",
        "return_call",
        ["id"],
        unique=False,
        schema="surveys",
        postgresql_where=sa.text("state = 'open'"),
    )

    op.execute(KEEP_RECORD)
    for guard in GUARDS:
        op.execute(guard)


def downgrade() -> None:
    op.drop_index(
        "return_call_open",
        table_name="return_call",
        schema="surveys",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_table("return_call", schema="surveys")
    op.drop_index(
        "unread_reply",
        table_name="reply",
        schema="surveys",
        postgresql_where=sa.text("effect IN ('unclear', 'not_asked') AND handled_at IS NULL"),
    )
    op.drop_table("reply", schema="surveys")
    op.drop_table("answer", schema="surveys")
    op.drop_index("survey_by_citizen", table_name="survey", schema="surveys")
    op.drop_table("survey", schema="surveys")
    op.drop_index(
        "photo_unattached", table_name="photo", postgresql_where=sa.text("case_id IS NULL")
    )
    op.drop_index(
        "photo_by_case", table_name="photo", postgresql_where=sa.text("case_id IS NOT NULL")
    )
    op.drop_table("photo")
    op.drop_table("case_party")
    op.drop_table("case_event")
    op.drop_index(
        "one_part_a_unit",
        table_name="assignment",
        postgresql_where=sa.text("state NOT IN ('handed_back', 'released')"),
    )
    op.drop_index(
        "one_lead_a_round",
        table_name="assignment",
        postgresql_where=sa.text("role = 'lead' AND state NOT IN ('handed_back', 'released')"),
    )
    op.drop_index(
        "assignment_open_by_unit",
        table_name="assignment",
        postgresql_where=sa.text("state IN ('offered', 'signed')"),
    )
    op.drop_table("assignment")
    op.drop_index(
        "session_by_staff_and_address",
        table_name="session",
        postgresql_where=sa.text("staff_id IS NOT NULL"),
    )
    op.drop_index(
        "session_by_staff", table_name="session", postgresql_where=sa.text("revoked_at IS NULL")
    )
    op.drop_index(
        "session_by_citizen", table_name="session", postgresql_where=sa.text("revoked_at IS NULL")
    )
    op.drop_table("session")
    op.drop_index(
        "outbox_under_way",
        table_name="outbox_message",
        postgresql_where=sa.text("state IN ('sending', 'unknown')"),
    )
    op.drop_index(
        "outbox_surveys_due",
        table_name="outbox_message",
        postgresql_where=sa.text("state = 'queued' AND kind = 'survey_owed'"),
    )
    op.drop_index(
        "outbox_due",
        table_name="outbox_message",
        postgresql_where=sa.text("state = 'queued' AND kind <> 'survey_owed'"),
    )
    op.drop_index(
        "outbox_by_provider_id",
        table_name="outbox_message",
        postgresql_where=sa.text("provider_id IS NOT NULL"),
    )
    op.drop_index("outbox_by_case", table_name="outbox_message")
    op.drop_table("outbox_message")
    op.drop_index(
        "grievance_to_close", table_name="grievance", postgresql_where=sa.text("phase = 'answered'")
    )
    op.drop_index(
        "grievance_stage_due",
        table_name="grievance",
        postgresql_where=sa.text("phase IN ('pending', 'handling') AND waiting IS NULL"),
    )
    op.drop_index(
        "grievance_open_by_holder",
        table_name="grievance",
        postgresql_where=sa.text("phase IN ('pending', 'handling')"),
    )
    op.drop_index(
        "grievance_open_by_county",
        table_name="grievance",
        postgresql_where=sa.text("phase IN ('pending', 'handling') AND NOT sealed"),
    )
    op.drop_index(
        "grievance_merged_into",
        table_name="grievance",
        postgresql_where=sa.text("primary_id IS NOT NULL"),
    )
    op.drop_index(
        "grievance_finished_by_county",
        table_name="grievance",
        postgresql_where=sa.text("phase NOT IN ('pending', 'handling') AND NOT sealed"),
    )
    op.drop_index("grievance_by_citizen", table_name="grievance")
    op.drop_table("grievance")
    op.drop_index("post_by_unit", table_name="post")
    op.drop_index("post_by_staff", table_name="post")
    op.drop_table("post")
    op.drop_table("citizen")
    op.drop_index("worker_heartbeat_by_worker", table_name="worker_heartbeat")
    op.drop_table("worker_heartbeat")
    op.drop_index("unit_by_parent", table_name="unit")
    op.drop_index("unit_by_county", table_name="unit")
    op.drop_table("unit")
    op.drop_table("staff")
    op.drop_index("one_time_code_by_phone", table_name="one_time_code")
    op.drop_index("one_time_code_by_address", table_name="one_time_code")
    op.drop_table("one_time_code")
    op.drop_index("given_answer_by_age", table_name="given_answer")
    op.drop_table("given_answer")
    op.drop_index("failed_sign_in_by_address", table_name="failed_sign_in")
    op.drop_index("failed_sign_in_by_account", table_name="failed_sign_in")
    op.drop_table("failed_sign_in")
    op.drop_table("event_text")
    op.drop_index("category_by_parent", table_name="category")
    op.drop_table("category")
    op.execute("DROP SCHEMA surveys")
    op.execute("DROP FUNCTION keep_record")
