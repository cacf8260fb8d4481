"""Posts move with the unit that carries on, and who may answer for a unit is decided on record.

People of units that ended before, with a successor, get their post there too.
"""

import sqlalchemy as sa

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

KEEP = """
CREATE FUNCTION keep_head_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'head_approval is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
GUARD = """
CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON head_approval
FOR EACH STATEMENT EXECUTE FUNCTION keep_head_approval()
"""
# The posts that were cut off by the end of their unit. The last in line that has not ended takes them.
CARRY_ON = """
WITH RECURSIVE line AS (
  SELECT id AS gone_id, valid_to AS ended, successor_id, 1 AS step FROM unit
  WHERE successor_id IS NOT NULL AND valid_to < CURRENT_DATE
  UNION ALL
  SELECT line.gone_id, line.ended, u.successor_id, line.step + 1
  FROM line JOIN unit u ON u.id = line.successor_id
  WHERE u.valid_to < CURRENT_DATE AND u.successor_id IS NOT NULL AND line.step < 10
)
INSERT INTO post (staff_id, unit_id, role, title, valid_from, moved_from_post_id)
SELECT DISTINCT ON (o.staff_id, heir.id, o.role) o.staff_id, heir.id, o.role, o.title, line.ended + 1, o.id
FROM line JOIN unit heir ON heir.id = line.successor_id AND heir.valid_to IS NULL
JOIN post o ON o.unit_id = line.gone_id AND o.valid_to = line.ended AND o.valid_from <= line.ended
WHERE NOT EXISTS (
  SELECT FROM post h WHERE h.staff_id = o.staff_id AND h.unit_id = heir.id AND h.role = o.role AND h.valid_to IS NULL)
ORDER BY o.staff_id, heir.id, o.role, o.id
"""


def upgrade() -> None:
    op.add_column("post", sa.Column("moved_from_post_id", sa.Integer(), nullable=True))
    op.create_foreign_key(
        "post_moved_from_post_id_fkey", "post", "post", ["moved_from_post_id"], ["id"]
    )
    op.execute(CARRY_ON)
    op.create_table(
        "head_approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Integer(), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("head_approval_by_unit", "head_approval", ["unit_id", "id"])
    op.execute(KEEP)
    op.execute(GUARD)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON head_approval FROM qungong_app")


def downgrade() -> None:
    op.drop_table("head_approval")
    op.execute("DROP FUNCTION keep_head_approval()")
    # The posts stay where they are now.
    op.drop_constraint("post_moved_from_post_id_fkey", "post", type_="foreignkey")
    op.drop_column("post", "moved_from_post_id")
