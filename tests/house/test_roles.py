"""Two users of PostgreSQL: one migrates, and the other serves and can unlock nothing."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest
from django.db import connection

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    "an entry is changed": 'UPDATE "ledgerEntries" SET memo = memo',
    "an entry is deleted": 'DELETE FROM "ledgerEntries"',
    "the ledger is emptied": 'TRUNCATE "ledgerEntries" CASCADE',
    "a trigger is disabled": 'ALTER TABLE "ledgerEntries" DISABLE TRIGGER ledger_append_only',
    "all triggers are disabled": 'ALTER TABLE "ledgerEntries" DISABLE TRIGGER ALL',
    "a trigger is dropped": 'DROP TRIGGER ledger_append_only ON "ledgerEntries"',
    "the trigger's function is replaced": "CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE "
    "plpgsql AS $$ BEGIN RETURN NULL; END $$",
    "triggers are skipped": "SET session_replication_role = replica",
    "a column is added": "ALTER TABLE users ADD COLUMN x int",
    "a constraint is dropped": 'ALTER TABLE "topUps" DROP CONSTRAINT top_up_amount_positive',
    "a table is dropped": 'DROP TABLE "ledgerEntries" CASCADE',
    "a table is made": "CREATE TABLE x (y int)",
    "a rule is made": 'CREATE RULE x AS ON INSERT TO "ledgerEntries" DO INSTEAD NOTHING',
    "a migration is forgotten": "DELETE FROM django_migrations",
    "it becomes the other": "SET ROLE {owner}",
}


def run(url, *command):
    done = subprocess.run(  # noqa: S603  # our own commands
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url, "SECRET_KEY": "x" * 60, "DB_ENV": "testing"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def two_roles(django_db_setup, django_db_blocker):
    """A database of its own, migrated by one role; (the URL of that one, of the one that serves, the first's name)."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no roles")
    name = f"roles_{uuid4().hex[:12]}"
    owner, server, known = f"{name}_owner", f"{name}_server", connection.settings_dict
    at = {"host": known["HOST"], "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
    admin = psycopg2.connect(dbname="postgres", **{key: value for key, value in at.items() if value})
    admin.autocommit = True
    cursor = admin.cursor()
    for role in (owner, server):
        cursor.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'sesame'")
    cursor.execute(f"CREATE DATABASE {name} OWNER {owner}")
    urls = [f"postgres://{role}:sesame@{known['HOST']}:{known['PORT'] or 5432}/{name}" for role in (owner, server)]
    try:
        assert run(urls[0], "migrate", "--verbosity", "0")[0] == 0
        status, said = run(urls[0], "grant_serving_role", server)
        assert (status, said) == (0, f'The role "{server}" may serve.\n')
        yield *urls, owner, server
    finally:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        cursor.execute(f"DROP ROLE {owner}; DROP ROLE {server}")
        admin.close()


@pytest.fixture
def serving(two_roles):
    served = psycopg2.connect(two_roles[1])
    yield served.cursor()
    served.close()


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN)
def test_who_serves_cannot(serving, two_roles, statement):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        serving.execute(statement.format(owner=two_roles[2]))


def test_who_serves_can_add_to_the_ledger_and_change_the_rest(serving):
    serving.execute("INSERT INTO users (email, \"displayName\") VALUES ('a@example.com', 'A') RETURNING id")
    user = serving.fetchone()[0]
    serving.execute("INSERT INTO accounts (user_id, created_at) VALUES (%s, now()) RETURNING id", [user])
    entry = (
        'INSERT INTO "ledgerEntries" (account_id, reference, kind, amount_micros, balance_after_micros, memo, '
        "created_at) VALUES (%s, 'opening:1', 'opening_balance', 1, 1, '', now())"
    )
    serving.execute(entry, serving.fetchone())
    serving.execute("UPDATE users SET avatar = NULL")
    serving.execute("DELETE FROM groups")


SERVE = """
from django.test import Client
client = Client()
print(client.get("/readyz").status_code)
user = client.post("/api/users", {"email": "eve@example.com"}).json()["id"]
card = {"userId": user, "sourceId": "tok_visa"}
print(client.post("/api/billing/updateCreditCard", card).status_code)
print(client.post("/api/billing/addMoney", {"userId": user, "amountToAdd": 20}).json())
print(client.delete(f"/api/users/{user}").status_code)
"""


def test_the_server_serves_and_proves_its_books_by_it(two_roles):
    status, said = run(two_roles[1], "shell", "--verbosity", "0", "-c", SERVE)
    answers = [line for line in said.splitlines() if not line.startswith('{"time')]
    assert (status, answers) == (0, ["200", "200", "{'updatedAccountBalance': 20.0}", "200"])
    status, said = run(two_roles[1], "check_ledger")
    assert status == 0, said


def test_the_server_warns_where_it_owns_the_tables(two_roles):
    for url, warned in ((two_roles[0], True), (two_roles[1], False)):
        said = run(url, "check", "--deploy", "--database", "default")[1]
        assert ("voicechat.W002" in said) == warned
        lines = run(
            url, "shell", "--verbosity", "0", "-c", "from voicechat.startup import role_warning as w; print(w())"
        )[1]
        assert ("owns the tables" in lines) == warned


def test_a_role_that_owns_the_tables_or_is_none_is_refused(two_roles):
    for role, why in ((two_roles[2], "choose another one"), ("nobody_at_all", "Make it first")):
        status, said = run(two_roles[0], "grant_serving_role", role)
        assert (status, why in said) == (1, True)


def test_granting_twice_is_as_once(two_roles):
    assert run(two_roles[0], "grant_serving_role", two_roles[3])[0] == 0


def test_on_sqlite_there_is_nothing_to_grant(tmp_path):
    status, said = run(f"sqlite:///{tmp_path}/db.sqlite3", "grant_serving_role", "x")
    assert (status, "SQLite knows no roles" in said) == (1, True)
