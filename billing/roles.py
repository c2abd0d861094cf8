"""Two users of the database: one migrates and owns the tables, one serves and can neither alter nor unlock anything.

The ledger's triggers refuse every change to an entry; who owns a table can switch its triggers off.
https://www.postgresql.org/docs/current/ddl-priv.html
"""

from django.db import connection, transaction

APPEND_ONLY = "ledgerEntries"
READ_ONLY = "django_migrations"

STANDING = """
SELECT rolsuper, pg_has_role(rolname, relowner, 'MEMBER'),
  has_table_privilege(rolname, pg_class.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
FROM pg_roles, pg_class WHERE rolname = {role} AND pg_class.oid = %s::regclass
"""
GRANTS = """
REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role};
REVOKE ALL ON SCHEMA {schema} FROM {role};
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
REVOKE UPDATE, DELETE ON {append_only} FROM {role};
REVOKE INSERT, UPDATE, DELETE ON {read_only} FROM {role};
"""
OWNS = (
    "The database's user of this server owns the tables, or may change them: whoever takes over the server can switch "
    "the ledger's guards off. Let one user migrate and another serve (docs/operating.md, Two users of the database)."
)


class UnfitRoleError(Exception):
    """Why a role cannot be the one that serves."""


@transaction.atomic
def grant_to_server(role: str) -> None:
    """Gives a role what serving needs, and takes from it what it does not: after every `migrate`.

    Entries of the ledger it may read and add. Raises UnfitRoleError.
    """
    with connection.cursor() as cursor:
        cursor.execute(STANDING.format(role="%s"), [role, f'"{APPEND_ONLY}"'])
        found = cursor.fetchone()
        if found is None:
            raise UnfitRoleError(f'There is no role "{role}". Make it first: CREATE ROLE … LOGIN PASSWORD …')
        if found[0] or found[1]:
            raise UnfitRoleError(f'The role "{role}" is a superuser, or the tables are its own: choose another one.')
        cursor.execute("SELECT current_schema()")
        names = {"schema": cursor.fetchone()[0], "role": role, "append_only": APPEND_ONLY, "read_only": READ_ONLY}
        cursor.execute(GRANTS.format(**{name: connection.ops.quote_name(each) for name, each in names.items()}))
        cursor.execute(STANDING.format(role="%s"), [role, f'"{APPEND_ONLY}"'])
        if cursor.fetchone()[2]:  # by way of another role, or of PUBLIC
            raise UnfitRoleError(f'The role "{role}" may change the ledger by another grant: revoke that first.')


def warning_at_start() -> str:
    """What operators should know where the server's own user could change the ledger; nothing on SQLite."""
    if connection.vendor != "postgresql" or APPEND_ONLY not in connection.introspection.table_names():
        return ""
    with connection.cursor() as cursor:
        cursor.execute(STANDING.format(role="current_user"), [f'"{APPEND_ONLY}"'])
        return OWNS if any(cursor.fetchone()) else ""
