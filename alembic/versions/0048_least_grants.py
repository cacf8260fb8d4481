"""The roles that the processes work as may change and delete what the code does, by columns, and nothing else.

A table that comes later can be read and added to; what more it needs its migration grants.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

APP, CONFIDENTIAL = "qungong_app", "qungong_surveys"
# Per table the columns that are changed, and whether rows are deleted; all others are only added to.
CHANGED: dict[str, tuple[list[str], bool]] = {
    "appeal": (
        ["decided_at", "decided_by_staff_id", "decided_by_unit_id", "reason", "upheld"],
        False,
    ),
    "assignment": (
        [
            "done_at",
            "due_at",
            "given_by_unit_id",
            "hand_back_asked_at",
            "hand_back_settled_at",
            "signed_at",
            "state",
            "unit_id",
        ],
        False,
    ),
    "calendar": (["version"], False),
    "card": (["revoked_at"], False),
    "category": (["active"], False),
    "citizen": (["village_id"], False),
    "clock": (
        [
            "calendar_version",
            "certain_steps",
            "due_at",
            "ended_at",
            "extension",
            "held_at",
            "limit",
            "next_at",
            "pauses",
            "provisional",
            "red_after",
            "red_at",
            "remind_at",
            "remind_before",
            "rule",
            "staff_id",
            "steps",
            "taken_at",
            "unit_id",
            "yellow_after",
            "yellow_at",
        ],
        False,
    ),
    "failed_sign_in": ([], True),
    "given_answer": ([], True),
    "grievance": (
        [
            "accused_unit_id",
            "answered_at",
            "category_id",
            "close_at",
            "closed_at",
            "due_at",
            "event_hash",
            "event_seq",
            "extended",
            "extension_asked_at",
            "holder_unit_id",
            "kind",
            "listed_at",
            "news",
            "outcome",
            "phase",
            "pressed_at",
            "presses",
            "primary_id",
            "refusals_objected",
            "returns",
            "round",
            "stage",
            "stage_due_at",
            "stage_rule",
            "stage_started_at",
            "statutory_due_at",
            "supplement_asked_by",
            "urgent",
            "wait_asked_at",
            "waiting",
            "waiting_since",
        ],
        False,
    ),
    "limit_set": (["version"], False),
    "notice_owed": (["settled_at"], True),
    "official_number": (["removed_at", "removed_by_staff_id"], False),
    "one_time_code": (["foreign_tries", "tries", "used_at"], True),
    "outbox_message": (
        [
            "attempts",
            "due_at",
            "error",
            "expires_at",
            "inquiries",
            "lease_token",
            "lease_until",
            "provider_id",
            "reported",
            "settled_at",
            "state",
            "turn",
            "why",
        ],
        False,
    ),
    "paper_series": (["last"], False),
    "photo": (["case_id"], True),
    "post": (["title", "valid_to"], False),
    "session": (["device_digest", "post_id", "revoked_at"], True),
    "sms_channel": (
        [
            "error",
            "paced_until",
            "paused_since",
            "paused_until",
            "paused_why",
            "pauses",
            "probe_until",
        ],
        False,
    ),
    "staff": (["active", "name", "password_hash", "seal"], False),
    "surveys.answer": (["answered_at", "channel", "remark_sealed", "value"], False),
    "surveys.evaluation_log_head": (["number", "seal"], False),
    "surveys.opt_out": (["back_at", "out_at"], False),
    "surveys.reply": (["handled_at", "handled_by_staff_id", "reading", "survey_id"], False),
    "surveys.return_call": (
        [
            "called_at",
            "called_by_staff_id",
            "cause",
            "consent",
            "note_sealed",
            "result",
            "state",
            "tries",
        ],
        False,
    ),
    "surveys.survey": (["asked_at", "next_at", "short_number", "window_ends_at"], False),
    "sweep_pulse": (["held_since", "held_why", "released_at", "swept_at"], False),
    "text_template": (
        ["approval", "changed_at", "changed_by_staff_id", "current", "reason", "template_code"],
        False,
    ),
    "texted": (["at", "phone_key", "words_key"], True),
    "unit": (
        [
            "ended_by_staff_id",
            "handed_over_at",
            "head_approves",
            "name",
            "parent_id",
            "short_name",
            "successor_id",
            "valid_to",
        ],
        False,
    ),
    "usage_count": (["day", "hour", "in_day", "in_hour"], True),
    "worker_heartbeat": (["beat_at"], True),
}
_TABLES = sa.text("""
SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'surveys') AND c.relname <> 'alembic_version' ORDER BY 1, 2""")


def tables() -> Iterable[tuple[str, str]]:
    """Each with the role that works with it."""
    for row in op.get_bind().execute(_TABLES).all():
        yield (row.name, APP) if row.schema == "public" else (f"surveys.{row.name}", CONFIDENTIAL)


def upgrade() -> None:
    for table, role in tables():
        columns, deletes = CHANGED.get(table, ([], False))
        op.execute(f"REVOKE UPDATE, DELETE ON {table} FROM {role}")
        if columns:
            listed = ", ".join(f'"{column}"' for column in columns)
            op.execute(f"GRANT UPDATE ({listed}) ON {table} TO {role}")
        if deletes:
            op.execute(f"GRANT DELETE ON {table} TO {role}")
    op.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE UPDATE, DELETE ON TABLES FROM {APP}"
    )
    op.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA surveys REVOKE UPDATE ON TABLES FROM {CONFIDENTIAL}"
    )


def downgrade() -> None:
    """As before: all of each table but those that a trigger keeps."""
    kept = "SELECT tgrelid FROM pg_trigger WHERE tgname = 'no_change'"
    for table, role in tables():
        if not op.get_bind().scalar(sa.text(f"SELECT '{table}'::regclass IN ({kept})")):
            op.execute(f"GRANT UPDATE{', DELETE' if role == APP else ''} ON {table} TO {role}")
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT UPDATE, DELETE ON TABLES TO {APP}")
    op.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA surveys GRANT UPDATE ON TABLES TO {CONFIDENTIAL}"
    )
