"""Month ends: figures locked month by month, their corrections, what is released to handling units, and exclusions."""

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
WORK = [
    "taken_in", "given", "answered", "pending", "assisted", "response_due", "response_in_time", "handling_due",
    "handling_in_time", "assist_due", "assist_in_time", "passed", "returned", "rounds", "reworked", "yellow", "yellow_net",
    "red", "red_net",
]  # fmt: skip
SATISFACTION = ["asked", "evaluated", "satisfied", "basically_satisfied", "excluded"]
KINDS = ["province", "city", "county", "township", "village", "department", "command_center", "discipline"]  # fmt: skip
KEEP_MONTH = """
CREATE FUNCTION keep_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
KEPT = [
    "month_end", "month_figure", "month_sealed", "released_satisfaction", "month_correction", "surveys.month_satisfaction",
    "surveys.satisfaction_correction", "surveys.exclusion",
]  # fmt: skip


def _in(values: list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _county_month() -> list[sa.Column]:
    return [
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
    ]


def _counts(names: list[str]) -> list[sa.Column]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _keys(*columns: str) -> list[sa.ForeignKeyConstraint]:
    to = {"county_id": "unit.id", "unit_id": "unit.id", "staff_id": "staff.id", "by_staff_id": "staff.id"}  # fmt: skip
    return [sa.ForeignKeyConstraint([column], [to[column]]) for column in columns]


def _correction(measures: list[str]) -> list[sa.Column | sa.Constraint]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("old", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(f"measure IN ({_in(measures)})", name="measure_known"),
        sa.CheckConstraint("reason <> ''", name="correction_says_why"),
        sa.CheckConstraint("old <> new", name="correction_changes"),
        *_keys("county_id", "unit_id", "staff_id", "by_staff_id"),
        sa.PrimaryKeyConstraint("id"),
    ]


def upgrade() -> None:
    op.create_table(
        "month_end",
        *_county_month(),
        sa.Column("formula_version", sa.Integer(), nullable=False),
        sa.Column("begins_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("cutoff_at", MOMENT, nullable=False),
        sa.Column("locked_at", MOMENT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("begins_at < ends_at AND ends_at < cutoff_at", name="month_in_order"),
        sa.CheckConstraint("locked_at > cutoff_at", name="month_locked_after_cutoff"),
        *_keys("county_id"),
        sa.PrimaryKeyConstraint("county_id", "month"),
    )
    op.create_table(
        "month_figure",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_county_month(),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("unit_code", sa.String(20), nullable=False),
        sa.Column("unit_name", sa.String(100), nullable=False),
        sa.Column("unit_kind", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("person_name", sa.String(40), nullable=True),
        *_counts(WORK),
        sa.CheckConstraint(f"unit_kind IN ({_in(KINDS)})", name="unit_kind_known"),
        sa.CheckConstraint(
            "(staff_id IS NULL) = (person_name IS NULL)", name="figure_names_its_person"
        ),
        *_keys("county_id", "unit_id", "staff_id"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "county_id", "month", "unit_id", "staff_id", name="one_figure_each", postgresql_nulls_not_distinct=True
        ),
    )  # fmt: skip
    op.create_table(
        "month_satisfaction",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_county_month(),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        *_counts(SATISFACTION),
        sa.CheckConstraint("evaluated + excluded <= asked", name="evaluated_among_asked"),
        sa.CheckConstraint(
            "satisfied + basically_satisfied <= evaluated", name="satisfied_among_evaluated"
        ),
        *_keys("county_id", "unit_id", "staff_id"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "county_id", "month", "unit_id", "staff_id", name="one_satisfaction_each", postgresql_nulls_not_distinct=True
        ),
        schema="surveys",
    )  # fmt: skip
    op.create_table(
        "month_sealed",
        *_county_month(),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        *_counts(["taken_in", "answered"]),
        *_keys("county_id", "unit_id"),
        sa.PrimaryKeyConstraint("county_id", "month", "unit_id"),
    )
    op.create_table(
        "released_satisfaction",
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("evaluated", sa.Integer(), nullable=False),
        sa.Column("bound", sa.Text(), nullable=False),
        sa.Column("favourable", sa.Integer(), nullable=False),
        sa.CheckConstraint("bound IN ('exact', 'at_least', 'at_most')", name="bound_known"),
        sa.CheckConstraint("evaluated >= 5", name="released_of_enough"),
        sa.CheckConstraint(
            "bound <> 'exact' OR (favourable > 0 AND favourable < evaluated)",
            name="released_not_unanimous",
        ),
        *_keys("unit_id", "county_id"),
        sa.PrimaryKeyConstraint("unit_id", "month"),
    )
    op.create_table(
        "month_correction",
        *_correction(WORK),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=True),
        sa.Column("by_staff_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "cause IN ('card_issued', 'card_revoked', 'recount')", name="cause_known"
        ),
        sa.CheckConstraint(
            "(cause = 'recount') = (card_id IS NULL)", name="correction_names_its_card"
        ),
        sa.CheckConstraint(
            "cause <> 'recount' OR by_staff_id IS NOT NULL", name="recount_by_somebody"
        ),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"]),
        sa.UniqueConstraint("county_id", "seq", name="correction_in_order"),
    )
    op.create_index(
        "one_correction_a_card",
        "month_correction",
        ["card_id", "cause", "measure", "staff_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("card_id IS NOT NULL"),
    )
    op.create_table(
        "satisfaction_correction",
        *_correction(SATISFACTION),
        sa.Column("by_staff_id", sa.Integer(), nullable=False),
        sa.UniqueConstraint("county_id", "seq", name="satisfaction_correction_in_order"),
        schema="surveys",
    )
    op.create_table(
        "exclusion",
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("decided_by_staff_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["survey_id"], ["surveys.survey.id"]),
        sa.ForeignKeyConstraint(["decided_by_staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("survey_id"),
        schema="surveys",
    )
    op.execute(KEEP_MONTH)
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_month()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncation BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION keep_month()"
        )
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM PUBLIC")


def downgrade() -> None:
    for table in reversed(KEPT):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION keep_month()")
