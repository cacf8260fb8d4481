"""Add what cases are found by when people search, and fill it for the cases that are there."""

import sqlalchemy as sa

from alembic import op
from app.cases.searched_words import letters_of

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_AT_ONCE = 2000
_CASES = sa.text("""
SELECT g.id, g.county_id, concat_ws(' ', g.title, string_agg(x.text, ' ' ORDER BY x.field)) AS told, g.title = '（已删除）' AS erased
FROM (SELECT * FROM grievance WHERE id > :after ORDER BY id LIMIT :most) g
LEFT JOIN record_text x ON x.matter_id = g.id AND x.seq = 1 AND x.field IN ('body', 'place')
WHERE NOT g.sealed GROUP BY g.id, g.county_id, g.title ORDER BY g.id""")
_LAST = sa.text(
    "SELECT id FROM (SELECT id FROM grievance WHERE id > :after ORDER BY id LIMIT :most) g ORDER BY id DESC LIMIT 1"
)
_ADD = sa.text(
    "INSERT INTO searched_words (matter_id, county_id, letters) VALUES (:id, :county_id, :letters)"
)


def upgrade() -> None:
    op.create_table(
        "searched_words",
        sa.Column("matter_id", sa.Uuid(), sa.ForeignKey("matter.id"), primary_key=True),
        sa.Column("county_id", sa.Integer(), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("letters", sa.ARRAY(sa.Integer()), nullable=False),
    )
    connection = op.get_bind()
    after = "00000000-0000-0000-0000-000000000000"
    while last := connection.scalar(_LAST, {"after": after, "most": _AT_ONCE}):
        found = connection.execute(_CASES, {"after": after, "most": _AT_ONCE}).all()
        rows = [
            {"id": row.id, "county_id": row.county_id, "letters": letters_of(row.told)}
            for row in found
            if not row.erased
        ]
        if rows:
            connection.execute(_ADD, rows)
        after = str(last)
    op.create_index(
        "searched_words_by_letters", "searched_words", ["letters"], postgresql_using="gin"
    )
    op.create_index("searched_words_by_county", "searched_words", ["county_id", "matter_id"])


def downgrade() -> None:
    op.drop_table("searched_words")
