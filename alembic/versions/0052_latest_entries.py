"""Index the record by time, for streams of changes: a block range index, which costs next to nothing when entries are added."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "record_entry_lately",
        "record_entry",
        ["at"],
        postgresql_using="brin",
        postgresql_with={"pages_per_range": "16", "autosummarize": "on"},
    )


def downgrade() -> None:
    op.drop_index("record_entry_lately", "record_entry")
