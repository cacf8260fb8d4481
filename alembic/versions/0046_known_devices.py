"""Known devices, one-time codes bound to a device, and accounts found in upper or lower case."""

import sqlalchemy as sa

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_ACCOUNT = "staff_by_account_in_lower_case"


def upgrade() -> None:
    op.add_column("session", sa.Column("device_digest", sa.LargeBinary(), nullable=True))
    op.add_column("failed_sign_in", sa.Column("device_digest", sa.LargeBinary(), nullable=True))
    op.add_column("one_time_code", sa.Column("device_digest", sa.LargeBinary(), nullable=True))
    op.add_column(
        "one_time_code",
        sa.Column("foreign_tries", sa.Integer(), nullable=False, server_default="0"),
    )
    op.alter_column("one_time_code", "foreign_tries", server_default=None)
    known = sa.text("device_digest IS NOT NULL")
    op.create_index("session_by_device", "session", ["device_digest"], postgresql_where=known)
    op.create_index(
        "failed_sign_in_by_device",
        "failed_sign_in",
        ["device_digest", "at"],
        postgresql_where=known,
    )
    op.create_index(_ACCOUNT, "staff", [sa.text("lower(account)")])


def downgrade() -> None:
    op.drop_index(_ACCOUNT, table_name="staff")
    op.drop_index("failed_sign_in_by_device", table_name="failed_sign_in")
    op.drop_index("session_by_device", table_name="session")
    op.drop_column("one_time_code", "foreign_tries")
    for table in ("one_time_code", "failed_sign_in", "session"):
        op.drop_column(table, "device_digest")
