"""Names are compared in a normal form: dots, width, case, Traditional letters and brackets do not make another person."""

import sqlalchemy as sa

from alembic import op
from app import keys
from app.chinese_text import name_to_compare

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

BATCH = 1000
# Who of joined cases is asked follows from the keys they had when it was answered; those cases keep theirs.
GIVEN = sa.text("""
SELECT n.case_id, n.name_key, n.name_sealed FROM person_as_given n
WHERE n.name_sealed IS NOT NULL AND n.case_id > :after
  AND NOT EXISTS (SELECT FROM grievance g WHERE g.id = n.case_id AND g.primary_id IS NOT NULL)
  AND NOT EXISTS (SELECT FROM grievance j WHERE j.primary_id = n.case_id)
ORDER BY n.case_id LIMIT :batch
""")
PUT = sa.text("UPDATE person_as_given SET name_key = :name_key WHERE case_id = :case_id")


def upgrade() -> None:
    connection, after = op.get_bind(), "00000000-0000-0000-0000-000000000000"
    while rows := connection.execute(GIVEN, {"after": after, "batch": BATCH}).all():
        changed = []
        for row in rows:
            name_key = _key(row.case_id, row.name_sealed)
            if name_key not in (None, row.name_key):
                changed.append({"case_id": row.case_id, "name_key": name_key})
        if changed:
            connection.execute(PUT, changed)
        after = rows[-1].case_id


def downgrade() -> None:
    """The keys stay: a name typed from now on gets the former key, and counts as another spelling at worst."""


def _key(case_id: object, sealed: bytes) -> bytes | None:
    """None: the name cannot be read, and its key stays."""
    try:
        name = keys.decrypt(sealed, keys.at("person_as_given.name_sealed", case_id))
    except keys.Unreadable:
        return None
    return keys.lookup("name", name_to_compare(name))
