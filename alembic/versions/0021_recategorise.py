"""What a case is about may be put right: one more action on the record.

Revision ID: 0021
Revises: 0019
"""

from alembic import op

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None

ACTIONS = [
    "register", "request_supplement", "supply", "decline", "object_refusal", "handle", "escalate", "send_down",
    "dispatch", "sign", "hand_back", "settle", "progress", "assist_answer", "excuse", "answer", "rework", "close",
    "press", "instruct", "merge", "withdraw", "extend", "decide_extension", "wait", "decide_wait", "resume",
    "supervise", "reply_supervision", "list", "unlist", "remind", "card", "appeal", "decide_appeal", "reschedule",
    "reassign", "approve_answer",
]  # fmt: skip


def _known(actions: list[str]) -> None:
    listed = ", ".join(f"'{action}'" for action in actions)
    op.drop_constraint("action_known", "case_event", type_="check")
    op.create_check_constraint("action_known", "case_event", f"action IN ({listed})")


def upgrade() -> None:
    _known([*ACTIONS, "recategorise"])


def downgrade() -> None:
    # Refused where it has been done: the record is never rewritten.
    _known(ACTIONS)
