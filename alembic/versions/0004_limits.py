"""Limits of the counties: what each sets instead of the defaults, in versions that are only ever added."""

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A case names the rule it was given, so that rule must stay what it was.
KEEP_LIMITS = """
CREATE FUNCTION keep_limits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
KEPT = ("limit_change", "limit_rule")
STAGES = (
    "'judge', 'supplement', 'sign', 'handle', 'assist', 'hand_back_decision', 'extension_decision', "
    "'supervised_reply', 'waiting', 'whole'"
)
TIERS = "'province', 'city', 'county', 'township', 'village', 'department', 'command_center', 'discipline'"
KINDS = "'question', 'suggestion', 'help', 'complaint', 'accusation'"
PLACE = ("county_id", "version", "stage", "tier", "kind", "category_id", "urgent")
SHORT_FORM = "^[0-9]{1,4}(wd|wh|d)$"


def upgrade() -> None:
    op.create_table(
        "limit_set",
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("county_id"),
    )
    op.create_table(
        "limit_change",
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("version > 0", name="limit_change_version"),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("county_id", "version"),
    )
    op.create_table(
        "limit_rule",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("category_id", sa.Integer(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=True),
        sa.Column("limit", sa.String(length=6), nullable=False),
        sa.Column("remind_before", sa.SmallInteger(), nullable=False),
        sa.Column("yellow_after", sa.String(length=6), nullable=False),
        sa.Column("red_after", sa.String(length=6), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.CheckConstraint(f"stage IN ({STAGES})", name="stage_known"),
        sa.CheckConstraint(f"tier IN ({TIERS})", name="tier_known"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="kind_known"),
        *(
            sa.CheckConstraint(f"\"{column}\" ~ '{SHORT_FORM}'", name=f"limit_rule_{column}")
            for column in ("limit", "yellow_after", "red_after")
        ),
        sa.CheckConstraint("remind_before >= 0", name="limit_rule_remind_before"),
        sa.ForeignKeyConstraint(["county_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(*PLACE, name="limit_rule_place", postgresql_nulls_not_distinct=True),
    )
    op.execute(KEEP_LIMITS)
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_limits()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncation BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION keep_limits()"
        )


def downgrade() -> None:
    for table in (*KEPT, "limit_set"):
        op.drop_table(table)
    op.execute("DROP FUNCTION keep_limits()")
