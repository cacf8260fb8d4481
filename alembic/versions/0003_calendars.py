"""Calendars of the counties: which days are worked, in versions that are only ever added."""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A deadline names the version it was computed with, so that version must stay what it was.
KEEP_CALENDAR = """
CREATE FUNCTION keep_calendar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
KEPT = ("calendar_change", "calendar_day", "calendar_year")
HOURS_IN_ORDER = "opens < closes AND (noon_from IS NULL OR opens < noon_from AND noon_from < noon_to AND noon_to < closes)"


def upgrade() -> None:
    op.create_table(
        "calendar",
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("county_id"),
    )
    op.create_table(
        "calendar_change",
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("noon_from", sa.Time(), nullable=True),
        sa.Column("noon_to", sa.Time(), nullable=True),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.CheckConstraint("version > 0", name="calendar_change_version"),
        sa.CheckConstraint("(noon_from IS NULL) = (noon_to IS NULL)", name="calendar_change_noon"),
        sa.CheckConstraint(HOURS_IN_ORDER, name="calendar_change_hours"),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("county_id", "version"),
    )
    op.create_table(
        "calendar_day",
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=True),
        sa.Column("closes", sa.Time(), nullable=True),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.CheckConstraint("(opens IS NULL) = (closes IS NULL)", name="calendar_day_hours_both"),
        sa.CheckConstraint(
            "opens IS NULL OR working AND opens < closes", name="calendar_day_hours"
        ),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("county_id", "day", "version"),
    )
    op.create_table(
        "calendar_year",
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.CheckConstraint("year BETWEEN 2000 AND 2100", name="calendar_year_range"),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("county_id", "year"),
    )
    op.execute(KEEP_CALENDAR)
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_calendar()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncation BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION keep_calendar()"
        )


def downgrade() -> None:
    for table in (*KEPT, "calendar"):
        op.drop_table(table)
    op.execute("DROP FUNCTION keep_calendar()")
