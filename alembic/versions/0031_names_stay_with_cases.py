"""A name stands with the case it was given for; a number carries no name from case to case."""

from unicodedata import normalize

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from alembic import op
from app import keys
from app.settings import settings

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

BATCH = 1000
# The name was stored with the number when staff first typed it: it was given for the first case they entered.
FIRST_CASES = sa.text("""
SELECT first.id AS case_id, p.id AS citizen_id, p.name_sealed, first.received_at
FROM citizen p CROSS JOIN LATERAL (
  SELECT g.id, g.received_at FROM grievance g
  WHERE g.citizen_id = p.id AND g.entered_by_unit_id IS NOT NULL ORDER BY g.id LIMIT 1
) first
WHERE p.name_sealed IS NOT NULL AND p.id > :after
  AND NOT EXISTS (SELECT FROM person_as_given n WHERE n.case_id = first.id)
ORDER BY p.id LIMIT :batch
""")
# Without phone_key: what was never counted among the names of a number does not begin to count now.
GIVE = sa.text("""
INSERT INTO person_as_given (case_id, phone_key, name_key, name_sealed, given_at)
VALUES (:case_id, NULL, :name_key, :name_sealed, :received_at)
""")
TAKE_BACK = """
UPDATE citizen p SET name_sealed = first.name_sealed
FROM (
  SELECT DISTINCT ON (g.citizen_id) g.citizen_id, n.name_sealed
  FROM grievance g JOIN person_as_given n ON n.case_id = g.id ORDER BY g.citizen_id, g.id
) first
WHERE first.citizen_id = p.id
"""


def upgrade() -> None:
    connection, after = op.get_bind(), "00000000-0000-0000-0000-000000000000"
    while rows := connection.execute(FIRST_CASES, {"after": after, "batch": BATCH}).all():
        for row in rows:
            given = {
                "case_id": row.case_id,
                "name_key": keys.lookup(
                    "name", "".join(normalize("NFKC", _opened(row.name_sealed)).split())
                ),
                "name_sealed": row.name_sealed,
                "received_at": row.received_at,
            }
            connection.execute(GIVE, given)
        after = rows[-1].citizen_id
    op.drop_column("citizen", "name_sealed")


def downgrade() -> None:
    op.add_column("citizen", sa.Column("name_sealed", sa.LargeBinary(), nullable=True))
    op.execute(TAKE_BACK)


def _opened(sealed: bytes) -> str:
    """As names were encrypted then: AES-256-GCM, the nonce before the ciphertext."""
    secret = settings().secret_key.get_secret_value().encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"qungong/personal-data")
    return AESGCM(derived.derive(secret)).decrypt(sealed[:12], sealed[12:], None).decode()
