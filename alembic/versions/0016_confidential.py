"""What citizens answered is out of reach but for transactions that say so, and every look at it is kept.

Two roles without login, `qungong_app` and `qungong_surveys` (docs/adr/0019). They belong to the server and not to one
database, and outlive a downgrade.
"""

import sqlalchemy as sa

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

APP, CONFIDENTIAL = "qungong_app", "qungong_surveys"

# Several databases of one server may be migrated at the same moment: who is second waits for the first, and finds the
# role there. From 16 on a role that was only made by somebody is not yet one they may work as.
ROLES = """
DO $$
DECLARE
  tries int := 0;
  works_as text := CASE WHEN CAST(current_setting('server_version_num') AS int) >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
  LOOP
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{app}') THEN
        CREATE ROLE {app} NOLOGIN;
      END IF;
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{confidential}') THEN
        CREATE ROLE {confidential} NOLOGIN IN ROLE {app};
      END IF;
      IF NOT pg_has_role('{confidential}', '{app}', 'USAGE') THEN
        GRANT {app} TO {confidential};
      END IF;
      IF NOT pg_has_role(current_user, '{app}', works_as) THEN
        GRANT {app} TO CURRENT_USER;
      END IF;
      IF NOT pg_has_role(current_user, '{confidential}', works_as) THEN
        GRANT {confidential} TO CURRENT_USER;
      END IF;
      EXIT;
    EXCEPTION
      WHEN duplicate_object OR unique_violation OR internal_error THEN
        tries := tries + 1;
        IF tries > 100 THEN
          RAISE;
        END IF;
        PERFORM pg_sleep(0.05);
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format(
          E'数据库账号 %1$s 无权建立角色。请数据库管理员先执行以下语句（角色已存在的，改为最后两句），再重新迁移。\\n'
          'The database role %1$s may not create roles. Have the DBA run these first (the last two instead of the first '
          'two where the roles are there already), then migrate again:\\n'
          '  CREATE ROLE {app} NOLOGIN ROLE %1$I;\\n'
          '  CREATE ROLE {confidential} NOLOGIN IN ROLE {app} ROLE %1$I;\\n'
          '或 or\\n'
          '  GRANT {app} TO {confidential};\\n'
          '  GRANT {app}, {confidential} TO %1$I;', current_user);
    END;
  END LOOP;
END $$
"""
GRANTS = (
    f"GRANT USAGE ON SCHEMA public TO {APP}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP}",
    f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP}",
    f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {APP}",
    "REVOKE ALL ON SCHEMA surveys FROM PUBLIC",
    f"GRANT USAGE ON SCHEMA surveys TO {CONFIDENTIAL}",
    # Nothing of it is ever deleted.
    f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA surveys TO {CONFIDENTIAL}",
)
# What later migrations of the same owner make.
DEFAULTS = (
    ("public", "SELECT, INSERT, UPDATE, DELETE ON TABLES", APP),
    ("public", "USAGE, SELECT ON SEQUENCES", APP),
    ("surveys", "SELECT, INSERT, UPDATE ON TABLES", CONFIDENTIAL),
)
# What a trigger keeps as it is cannot be changed by privilege either.
REVOKE_ON_KEPT = f"""
DO $$
DECLARE
  kept regclass;
BEGIN
  FOR kept IN SELECT tgrelid FROM pg_trigger WHERE tgname = 'no_change' LOOP
    EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM {APP}, {CONFIDENTIAL}', kept);
  END LOOP;
END $$
"""  # noqa: S608 - a constant
# But for a card's revocation and the decision on an appeal, which are added once.
ADDED_LATER = (
    f"GRANT UPDATE (revoked_at) ON card TO {APP}",
    f"GRANT UPDATE (decided_at, decided_by_staff_id, decided_by_unit_id, upheld, reason) ON appeal TO {APP}",
)

KEEP_LOOK = """
CREATE FUNCTION surveys.keep_look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'look is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
GUARDS = (
    "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON surveys.look FOR EACH ROW EXECUTE FUNCTION surveys.keep_look()",
    "CREATE TRIGGER no_truncation BEFORE TRUNCATE ON surveys.look FOR EACH STATEMENT EXECUTE FUNCTION surveys.keep_look()",
    f"REVOKE UPDATE ON surveys.look FROM {CONFIDENTIAL}",
)


def upgrade() -> None:
    op.execute(ROLES.format(app=APP, confidential=CONFIDENTIAL))
    for grant in GRANTS:
        op.execute(grant)
    for schema, what, role in DEFAULTS:
        op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {what} TO {role}")
    op.execute(REVOKE_ON_KEPT)
    for grant in ADDED_LATER:
        op.execute(grant)
    op.create_table(
        "look",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("staff_name", sa.Text(), nullable=False),
        sa.Column("unit_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number > 0", name="look_number"),
        sa.CheckConstraint("reason <> ''", name="look_has_reason"),
        sa.ForeignKeyConstraint(["survey_id"], ["surveys.survey.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"]),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("number"),
        schema="surveys",
    )
    op.execute(KEEP_LOOK)
    for guard in GUARDS:
        op.execute(guard)


def downgrade() -> None:
    op.drop_table("look", schema="surveys")
    op.execute("DROP FUNCTION surveys.keep_look()")
    for schema, what, role in DEFAULTS:
        op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE {what} FROM {role}")
    for schema, role in (("public", APP), ("surveys", CONFIDENTIAL)):
        op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}")
        op.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}")
        op.execute(f"REVOKE ALL ON SCHEMA {schema} FROM {role}")
