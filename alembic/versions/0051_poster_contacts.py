"""Add what a unit publishes on its poster's page: a telephone number and a person, each change on record."""

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

APP = "qungong_app"
COLUMNS = """
ALTER TABLE unit ADD COLUMN public_phone text, ADD COLUMN contact_name varchar(40),
  ADD CONSTRAINT public_phone_form CHECK (public_phone ~ '^([+][1-9][0-9]{6,14}|[0-9]{3,8})$')"""
CHANGES = """
CREATE TABLE poster_contact (
  id uuid PRIMARY KEY,
  unit_id integer NOT NULL REFERENCES unit (id),
  public_phone text,
  contact_name varchar(40),
  decided_at timestamp with time zone NOT NULL,
  decided_by_staff_id integer NOT NULL REFERENCES staff (id)
)"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(CHANGES)
    op.execute("CREATE INDEX poster_contact_by_unit ON poster_contact (unit_id, id)")
    op.execute(f"GRANT UPDATE (public_phone, contact_name) ON unit TO {APP}")


def downgrade() -> None:
    op.execute("DROP TABLE poster_contact")
    op.execute("ALTER TABLE unit DROP COLUMN public_phone, DROP COLUMN contact_name")
