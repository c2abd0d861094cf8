# ruff: noqa: E501  # SQL
"""Fills a migrated, empty database with what years bring, by a few statements of the database's own.

100,000 people with an account each; a million entries, 300,000 of them one person's and the others a hundred people's;
300,000 calls, each charged by an entry; 20,000 payments; 20,000 groups; 100,000 activities.
"""

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection

PEOPLE, ENTRIES, OF_ONE, CALLS, TOP_UPS, GROUPS, ACTIVITIES = (
    100_000,
    1_000_000,
    300_000,
    300_000,
    20_000,
    20_000,
    100_000,
)
SERIES = {
    "postgresql": "generate_series(1, {count}) AS n(i)",
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n) AS n",
}
ACCOUNT = f"CASE WHEN i <= {OF_ONE} THEN 1 ELSE 2 + i % 100 END"
IS_TOP_UP = f"i % {ENTRIES // TOP_UPS} = 0"
AMOUNT = f"CASE WHEN {IS_TOP_UP} THEN 20000000 ELSE -20600 END"
UUID = {
    "postgresql": "lpad(to_hex(i), 32, '0')::uuid",
    "sqlite": "printf('%%032x', i)",
}
STATEMENTS = (
    """INSERT INTO users (id, email, "displayName", password) SELECT i, 'person' || i || '@example.com', 'Person ' || i, '!'
    FROM {people}""",
    """INSERT INTO accounts (id, user_id, created_at) SELECT i, i, '2026-01-01 00:00:00' FROM {people}""",
    f"""INSERT INTO "ledgerEntries" (id, account_id, reference, kind, amount_micros, balance_after_micros, memo, created_at)
    SELECT i, {ACCOUNT}, CASE WHEN {IS_TOP_UP} THEN 'stripe:pi_' || i ELSE 'twilio:CA' || i END,
    CASE WHEN {IS_TOP_UP} THEN 'top_up' ELSE 'call' END, {AMOUNT},
    sum({AMOUNT}) OVER (PARTITION BY {ACCOUNT} ORDER BY i), 'Call of 2 min in Family', '2026-02-01 00:00:00'
    FROM {{entries}}""",
    """UPDATE users SET "accountBalance" = (SELECT balance_after_micros FROM "ledgerEntries" WHERE account_id = users.id
    ORDER BY id DESC LIMIT 1)""",
    """INSERT INTO "topUps" (id, account_id, customer, source, card, amount_cents, status, payment, message, client_secret,
    entry_id, created_at) SELECT {uuid}, account_id, 'cus_' || account_id, '', '', 2000, 'succeeded', 'pi_' || n.id, '', '',
    n.id, '2026-02-01 00:00:00' FROM (SELECT id, id AS i, account_id, kind FROM "ledgerEntries") AS n WHERE kind = 'top_up'""",
    f"""INSERT INTO "callSessions" (id, sid, "userId", "groupId", "endTime", duration, price, payer_id, status, settled_by,
    charged_micros, charged_minutes, "createdAt") SELECT i, 'CA' || i, 1 + i % {PEOPLE}, 1 + i % {GROUPS},
    '2026-02-01 00:00:00', 61, -17000, {ACCOUNT}, 'completed', CASE WHEN {IS_TOP_UP} THEN '' ELSE 'price' END,
    CASE WHEN {IS_TOP_UP} THEN NULL ELSE 20600 END, 2, '2026-02-01 00:00:00' FROM {{calls}}""",
    """INSERT INTO groups (id, name) SELECT i, 'Group ' || i FROM {groups}""",
    f"""INSERT INTO activities ("groupId", "userId", activity, "createdAt") SELECT 1 + i % {GROUPS}, 1 + i % {PEOPLE},
    'started a call', '2026-02-01 00:00:00' FROM {{activities}}""",
)


def fill() -> None:
    counts = {
        "people": PEOPLE,
        "entries": ENTRIES,
        "calls": CALLS,
        "groups": GROUPS,
        "activities": ACTIVITIES,
    }
    series = {name: SERIES[connection.vendor].format(count=count) for name, count in counts.items()}
    with connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement.format(**series, uuid=UUID[connection.vendor].replace("%%", "%")))
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models()):
            cursor.execute(statement)
        cursor.execute("ANALYZE")
