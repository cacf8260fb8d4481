"""Clocks: every limit of a case runs as a row of its own. With them extensions, waiting, listing, and what they are called."""

import sqlalchemy as sa

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OLD_STAGES = ["judge", "supplement", "sign", "handle", "assist", "hand_back_decision"]
STAGES = [*OLD_STAGES, "extension_decision", "supervised_reply", "waiting", "whole"]
OLD_ACTIONS = [
    "register", "request_supplement", "supply", "decline", "object_refusal", "handle", "escalate", "send_down", "dispatch",
    "sign", "hand_back", "settle", "progress", "assist_answer", "excuse", "answer", "rework", "close", "press", "instruct",
    "merge", "withdraw",
]  # fmt: skip
ACTIONS = [
    *OLD_ACTIONS, "extend", "decide_extension", "wait", "decide_wait", "resume", "supervise", "reply_supervision", "list",
    "unlist", "remind", "card", "appeal", "decide_appeal", "reschedule", "reassign",
]  # fmt: skip
MOMENT = sa.DateTime(timezone=True)


def _one_of(table: str, column: str, values: list[str]) -> None:
    op.drop_constraint(f"{column}_known", table)
    listed = ", ".join(f"'{value}'" for value in values)
    op.create_check_constraint(f"{column}_known", table, f"{column} IN ({listed})")


def upgrade() -> None:
    _one_of("grievance", "stage", STAGES)
    _one_of("case_event", "action", ACTIONS)
    op.add_column("grievance", sa.Column("statutory_due_at", MOMENT, nullable=True))
    # Until now the whole case's limit was the law's alone.
    op.execute("UPDATE grievance SET statutory_due_at = due_at")
    op.alter_column("grievance", "statutory_due_at", nullable=False)
    for name in ("wait_asked_at", "extension_asked_at", "listed_at"):
        op.add_column("grievance", sa.Column(name, MOMENT, nullable=True))
    op.add_column(
        "grievance",
        sa.Column("extended", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("grievance", "extended", server_default=None)
    op.create_table(
        "clock",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Uuid(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("limit", sa.String(10), nullable=False),
        sa.Column("remind_before", sa.Integer(), nullable=False),
        sa.Column("yellow_after", sa.String(10), nullable=False),
        sa.Column("red_after", sa.String(10), nullable=True),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("calendar_version", sa.Integer(), nullable=False),
        sa.Column("pauses", sa.Text(), nullable=False),
        sa.Column("extension", sa.String(10), nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("remind_at", MOMENT, nullable=True),
        sa.Column("yellow_at", MOMENT, nullable=True),
        sa.Column("red_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "stage IN ({})".format(", ".join(f"'{stage}'" for stage in STAGES)), name="stage_known"
        ),
        sa.ForeignKeyConstraint(["case_id"], ["grievance.id"]),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"]),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("clock_by_case", "clock", ["case_id"])
    op.create_index(
        "clock_next", "clock", ["next_at", "id"], postgresql_where=sa.text("next_at IS NOT NULL")
    )
    op.create_index(
        "clock_by_calendar",
        "clock",
        ["county_id", "calendar_version", "id"],
        postgresql_where=sa.text("ended_at IS NULL OR provisional"),
    )
    # Nothing sweeps the cases by their stage any more.
    op.drop_index("grievance_stage_due", "grievance")


def downgrade() -> None:
    op.create_index(
        "grievance_stage_due",
        "grievance",
        ["stage_due_at"],
        postgresql_where=sa.text("phase IN ('pending', 'handling') AND waiting IS NULL"),
    )
    op.drop_table("clock")
    for name in (
        "statutory_due_at",
        "wait_asked_at",
        "extension_asked_at",
        "listed_at",
        "extended",
    ):
        op.drop_column("grievance", name)
    _one_of("case_event", "action", OLD_ACTIONS)
    _one_of("grievance", "stage", OLD_STAGES)
