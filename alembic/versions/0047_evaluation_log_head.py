"""The head of the log of evaluations stands in a row: its lock and its newest seal come in one statement."""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

CONFIDENTIAL = "qungong_surveys"
TABLE = """
CREATE TABLE surveys.evaluation_log_head (
  id smallint PRIMARY KEY,
  number bigint NOT NULL,
  seal bytea NOT NULL,
  CONSTRAINT only_one CHECK (id = 1)
)"""
FILL = r"""
INSERT INTO surveys.evaluation_log_head (id, number, seal)
SELECT 1, coalesce(max(number), 0),
  coalesce((SELECT seal FROM surveys.evaluation_log ORDER BY number DESC LIMIT 1), '\x')
FROM surveys.evaluation_log"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(FILL)
    op.execute(f"REVOKE INSERT, DELETE ON surveys.evaluation_log_head FROM {CONFIDENTIAL}")


def downgrade() -> None:
    op.execute("DROP TABLE surveys.evaluation_log_head")
