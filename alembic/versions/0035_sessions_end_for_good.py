"""Triggers end sessions for good when a person is disabled, gets another password, or loses the post."""

import sqlalchemy as sa

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_OF_STAFF = """
CREATE FUNCTION end_sessions_of_staff() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE session SET revoked_at = now() WHERE staff_id = NEW.id AND revoked_at IS NULL;
  RETURN NULL;
END $$
"""
# A post counts until the end of its last day in Shanghai; one that ended days ago and is prolonged begins without sessions.
_OF_POST = """
CREATE FUNCTION end_sessions_of_post() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  today CONSTANT date := CAST(now() AT TIME ZONE 'Asia/Shanghai' AS date);
BEGIN
  IF LEAST(OLD.valid_to, NEW.valid_to) < today OR NEW.valid_from > today THEN
    UPDATE session SET revoked_at = now() WHERE post_id = NEW.id AND revoked_at IS NULL;
  END IF;
  RETURN NULL;
END $$
"""
_STAFF_CHANGED = """
CREATE TRIGGER end_sessions AFTER UPDATE OF active, password_hash ON staff FOR EACH ROW
WHEN (NOT NEW.active OR OLD.password_hash IS DISTINCT FROM NEW.password_hash)
EXECUTE FUNCTION end_sessions_of_staff()
"""
_POST_CHANGED = """
CREATE TRIGGER end_sessions AFTER UPDATE OF valid_from, valid_to ON post FOR EACH ROW
WHEN (OLD.valid_to IS DISTINCT FROM NEW.valid_to OR OLD.valid_from IS DISTINCT FROM NEW.valid_from)
EXECUTE FUNCTION end_sessions_of_post()
"""


def upgrade() -> None:
    for statement in (_OF_STAFF, _OF_POST, _STAFF_CHANGED, _POST_CHANGED):
        op.execute(statement)
    op.create_index(
        "session_by_post",
        "session",
        ["post_id"],
        postgresql_where=sa.text("revoked_at IS NULL AND post_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("session_by_post", table_name="session")
    for table in ("staff", "post"):
        op.execute(f"DROP TRIGGER end_sessions ON {table}")
        op.execute(f"DROP FUNCTION end_sessions_of_{table}()")
