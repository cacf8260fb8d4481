"""A log of entries and removals of official numbers, and calls to people whose number is listed as the handler's own."""

import sqlalchemy as sa

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TABLE = "official_number_change"
CAUSES = ["dissatisfied", "no_number", "unit_number", "shared_number", "opted_out", "undelivered", "unread"]  # fmt: skip
RESULTS = ["valid", "unreasonable", "not_reached", "evaluated"]
KEEP = """
CREATE FUNCTION keep_official_number_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'official_number_change is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
GUARD = """
CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON official_number_change
FOR EACH STATEMENT EXECUTE FUNCTION keep_official_number_change()
"""
COUNTY_OF_STAFF = """(
  SELECT u.county_id FROM post o JOIN unit u ON u.id = o.unit_id WHERE o.staff_id = n.staff_id
  ORDER BY o.valid_to DESC NULLS FIRST, o.id DESC LIMIT 1)"""
# What was entered and removed before there was a log; the digits stay sealed.
BEFORE = f"""
INSERT INTO official_number_change
  (id, county_id, number_id, change, last_four, unit_name, unit_code, account, staff_name, at, by_staff_id, by_name)
SELECT {{id}}, coalesce(u.county_id, {COUNTY_OF_STAFF}), n.id, '{{change}}', '****', u.name, u.code, s.account, s.name,
  n.{{change}}_at, n.{{change}}_by_staff_id, b.name
FROM official_number n LEFT JOIN unit u ON u.id = n.unit_id LEFT JOIN staff s ON s.id = n.staff_id
LEFT JOIN staff b ON b.id = n.{{change}}_by_staff_id
WHERE n.{{change}}_at IS NOT NULL
"""  # noqa: S608 - constants


def _known(name: str, table: str, column: str, values: list[str]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.drop_constraint(name, table, type_="check", schema="surveys")
    op.create_check_constraint(name, table, f"{column} IN ({listed})", schema="surveys")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("county_id", sa.Integer(), sa.ForeignKey("unit.id"), nullable=True),
        sa.Column("number_id", sa.Uuid(), sa.ForeignKey("official_number.id"), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("last_four", sa.String(4), nullable=False),
        sa.Column("unit_name", sa.String(), nullable=True),
        sa.Column("unit_code", sa.String(), nullable=True),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("staff_name", sa.String(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by_staff_id", sa.Integer(), sa.ForeignKey("staff.id"), nullable=True),
        sa.Column("by_name", sa.String(), nullable=True),
        sa.CheckConstraint("change IN ('entered', 'removed')", name="change_known"),
        sa.CheckConstraint("(unit_name IS NULL) <> (account IS NULL)", name="change_has_owner"),
        sa.UniqueConstraint("number_id", "change", name="each_change_once"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("official_number_change_by_id", TABLE, ["county_id", "id"])
    op.execute(BEFORE.format(id="n.id", change="entered"))
    # Its id tells the time as well: of the number's removal.
    op.execute(
        BEFORE.format(
            id="CAST(lpad(to_hex(CAST(extract(epoch FROM n.removed_at) * 1000 AS bigint)), 12, '0')"
            " || '7' || substr(replace(CAST(gen_random_uuid() AS text), '-', ''), 14, 3)"
            " || '8' || substr(replace(CAST(gen_random_uuid() AS text), '-', ''), 18, 15) AS uuid)",
            change="removed",
        )
    )
    op.execute(KEEP)
    op.execute(GUARD)
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {TABLE} FROM qungong_app")
    _known("cause_known", "return_call", "cause", [*CAUSES[:4], "own_case", *CAUSES[4:]])
    for table in ("return_call", "call_try"):
        _known("result_known", table, "result", [*RESULTS, "handler"])


def downgrade() -> None:
    # A call that was owed because of an official number stays; no evaluation is counted.
    op.execute("UPDATE surveys.return_call SET cause = 'unit_number' WHERE cause = 'own_case'")
    op.execute("UPDATE surveys.return_call SET result = 'not_reached' WHERE result = 'handler'")
    op.execute("ALTER TABLE surveys.call_try DISABLE TRIGGER USER")
    op.execute("UPDATE surveys.call_try SET result = 'not_reached' WHERE result = 'handler'")
    op.execute("ALTER TABLE surveys.call_try ENABLE TRIGGER USER")
    _known("cause_known", "return_call", "cause", CAUSES)
    for table in ("return_call", "call_try"):
        _known("result_known", table, "result", RESULTS)
    op.drop_table(TABLE)
    op.execute("DROP FUNCTION keep_official_number_change()")
