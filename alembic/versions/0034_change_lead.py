"""The command center may change the lead and add assistants: two more actions on the record.

Revision ID: 0034
Revises: 0033
"""

import re

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

NEW = ["change_lead", "add_assistants"]


def _known() -> list[str]:
    """The actions that the table takes now."""
    found = op.get_bind().exec_driver_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conname = 'action_known' AND conrelid = CAST('case_event' AS regclass)"
    )
    return re.findall(r"'(\w+)'", found.scalar_one())


def _take(actions: list[str]) -> None:
    listed = ", ".join(f"'{action}'" for action in actions)
    op.drop_constraint("action_known", "case_event", type_="check")
    op.create_check_constraint("action_known", "case_event", f"action IN ({listed})")


def upgrade() -> None:
    _take([*_known(), *NEW])


def downgrade() -> None:
    # Refused where it has been done: the record is never rewritten.
    _take([action for action in _known() if action not in NEW])
