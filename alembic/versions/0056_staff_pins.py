"""Add PINs of staff: bound to person, post and device, revoked by the triggers that end sessions."""

import sqlalchemy as sa

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

APP = "qungong_app"
_OF_STAFF = """
CREATE OR REPLACE FUNCTION end_sessions_of_staff() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE session SET revoked_at = now() WHERE staff_id = NEW.id AND revoked_at IS NULL;{pins}
  RETURN NULL;
END $$
"""
_PINS_OF_STAFF = """
  UPDATE staff_pin SET revoked_at = now() WHERE staff_id = NEW.id AND revoked_at IS NULL;"""
_OF_POST = """
CREATE OR REPLACE FUNCTION end_sessions_of_post() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  today CONSTANT date := CAST(now() AT TIME ZONE 'Asia/Shanghai' AS date);
BEGIN
  IF LEAST(OLD.valid_to, NEW.valid_to) < today OR NEW.valid_from > today THEN
    UPDATE session SET revoked_at = now() WHERE post_id = NEW.id AND revoked_at IS NULL;{pins}
  END IF;
  RETURN NULL;
END $$
"""
_PINS_OF_POST = """
    UPDATE staff_pin SET revoked_at = now() WHERE post_id = NEW.id AND revoked_at IS NULL;"""


def upgrade() -> None:
    op.create_table(
        "staff_pin",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("post_id", sa.Integer(), sa.ForeignKey("post.id"), nullable=False),
        sa.Column("device_digest", sa.LargeBinary(), nullable=False),
        sa.Column("pin_hash", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name="pin_tries_bounded"),
    )
    alive = sa.text("revoked_at IS NULL")
    op.create_index(
        "staff_pin_on_device",
        "staff_pin",
        ["device_digest", "staff_id"],
        unique=True,
        postgresql_where=alive,
    )
    op.create_index("staff_pin_by_staff", "staff_pin", ["staff_id"], postgresql_where=alive)
    op.create_index("staff_pin_by_post", "staff_pin", ["post_id"], postgresql_where=alive)
    op.add_column("session", sa.Column("pin_id", sa.Uuid(), sa.ForeignKey("staff_pin.id")))
    op.execute(f"GRANT UPDATE (device_digest, tries, expires_at, revoked_at) ON staff_pin TO {APP}")
    op.execute(_OF_STAFF.format(pins=_PINS_OF_STAFF))
    op.execute(_OF_POST.format(pins=_PINS_OF_POST))


def downgrade() -> None:
    op.execute(_OF_STAFF.format(pins=""))
    op.execute(_OF_POST.format(pins=""))
    op.drop_column("session", "pin_id")
    op.drop_table("staff_pin")
