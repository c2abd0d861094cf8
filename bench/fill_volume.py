# ruff: noqa: E501  # SQL
"""Fills a migrated, empty database with what years bring, by a few statements of the database's own.

100,000 people with an account each, half of them members of one group; a million entries, 300,000 of them one person's
and the others a hundred people's; a call for each that charges one, in 100,000 conferences; 20,000 payments with what
Stripe told of them; 20,000 groups; a million activities; devices, notifications, refusals, refunds, disputes, and what
operators did.
"""

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection

from users.models import User

COUNTS = {
    "people": 100_000,
    "entries": 1_000_000,
    "groups": 20_000,
    "activities": 1_000_000,
    "conferences": 100_000,
    "things": 100_000,
    "few": 2_000,
}
"""`things` are told, notified, refused or done by operators; `few` are refunds, disputes and deletions."""
OF_ONE, TOP_UP_EACH = 300_000, 50
SERIES = {
    "postgresql": "generate_series(1, {count}) AS n(i)",
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n) AS n",
}
TIMES = {
    "postgresql": "(timestamptz '2025-12-01 00:00:00+00' + {seconds} * interval '1 second')",
    "sqlite": "datetime('2025-12-01 00:00:00', '+' || ({seconds}) || ' seconds')",
}
UUIDS = {"postgresql": "lpad(to_hex(i), 32, '0')::uuid", "sqlite": "printf('%032x', i)"}
JSONS = {"postgresql": "({text})::jsonb", "sqlite": "{text}"}
ACCOUNT = f"CASE WHEN i <= {OF_ONE} THEN 1 ELSE 2 + i % 100 END"
IS_TOP_UP = f"i % {TOP_UP_EACH} = 0"
AMOUNT = f"CASE WHEN {IS_TOP_UP} THEN 20000000 ELSE -20600 END"
EVENT = """'{"id": "evt_' || i || '", "object": "event", "type": "charge.refunded", "data": {"object": {"id": "ch_' || i || '",
    "object": "charge", "amount": 2000, "currency": "usd", "customer": "cus_' || i || '", "description": "Money added by card",
    "payment_intent": "pi_' || i || '", "status": "succeeded", "metadata": {"top_up": "' || i || '"}}}}'"""
REFUND = """'{"data": {"object": {"id": "re_' || entry_id || '", "object": "refund", "payment_intent": "' || payment || '"}}}'"""
STATEMENTS = (
    """INSERT INTO users (id, email, "emailKey", "displayName", "stripeId", password) SELECT i, 'person' || i || '@example.com',
    'person' || i || '@example.com', 'Person ' || i, 'cus_' || i, '!' FROM {people}""",
    """INSERT INTO accounts (id, user_id, created_at) SELECT i, i, {time} FROM {people}""",
    f"""INSERT INTO "ledgerEntries" (id, account_id, reference, kind, amount_micros, balance_after_micros, group_id, memo, created_at)
    SELECT i, {ACCOUNT}, CASE WHEN {IS_TOP_UP} THEN 'stripe:pi_' || i ELSE 'twilio:CA' || i END,
    CASE WHEN {IS_TOP_UP} THEN 'top_up' ELSE 'call' END, {AMOUNT},
    sum({AMOUNT}) OVER (PARTITION BY {ACCOUNT} ORDER BY i), 1 + i % {{group_count}}, 'Call of 2 min in Family', {{time}}
    FROM {{entries}}""",
    """UPDATE users SET "accountBalance" = (SELECT balance_after_micros FROM "ledgerEntries" WHERE account_id = users.id
    ORDER BY id DESC LIMIT 1)""",
    """INSERT INTO "topUps" (id, account_id, customer, source, card, amount_cents, status, payment, message, client_secret,
    entry_id, created_at) SELECT {uuid}, account_id, 'cus_' || account_id, '', '', 2000, 'succeeded', 'pi_' || i, '', '',
    i, created_at FROM (SELECT id AS i, account_id, kind, created_at FROM "ledgerEntries") AS n WHERE kind = 'top_up'""",
    """INSERT INTO groups (id, name, "createdAt") SELECT i, 'Group ' || i, {time} FROM {groups}""",
    """INSERT INTO "usersGroupsOwnership" ("groupId", "userId", "createdAt") SELECT i, i, {time} FROM {groups}""",
    """INSERT INTO "usersGroupsMembership" ("groupId", "userId", "createdAt") SELECT 1, i, {time} FROM {people} WHERE i <= 50000""",
    """INSERT INTO "usersGroupsMembership" ("groupId", "userId", "createdAt") SELECT 2 + i % ({group_count} - 1), i, {time} FROM {people}""",
    """INSERT INTO "usersGroupsInvitations" ("groupId", "userId", "createdAt") SELECT i, {people_count} + 1 - i, {time} FROM {groups}""",
    """INSERT INTO activities ("groupId", "userId", activity, "createdAt") SELECT 1 + i % {group_count}, 1 + i % {people_count},
    'started call ' || i, {time} FROM {activities}""",
    """INSERT INTO conferences (sid, group_id, completed, heard_at, ended_at, announcement, created_at) SELECT 'CF' || i,
    1 + i % {group_count}, true, {time}, {time}, 'told', {time} FROM {conferences}""",
    """INSERT INTO "conferenceEvents" (conference_id, sequence_number, kind, call_sid, payload, created_at) SELECT
    'CF' || (1 + i % {conference_count}), i, CASE WHEN i % 2 = 0 THEN 'participant-join' ELSE 'participant-leave' END, 'CA' || i,
    {json_sid}, {time} FROM {people}""",
    f"""INSERT INTO "callSessions" (id, sid, "userId", "groupId", "startTime", "endTime", duration, price, payer_id, conference_id,
    status, end_source, settled_by, charged_micros, charged_minutes, caller, called, heard_at, "createdAt") SELECT i, 'CA' || i,
    1 + i % {{people_count}}, 1 + i % {{group_count}}, {{time}}, {{time}}, 61, -17000, {ACCOUNT}, 'CF' || (1 + i % {{conference_count}}),
    'completed', 'event', 'price', 20600, 2, 'client:u_' || i, '', {{time}}, {{time}} FROM {{entries}} WHERE NOT ({IS_TOP_UP})""",
    """INSERT INTO "stripeEvents" (id, type, api_version, payload, created_at, applied_at, reason) SELECT 'evt_' || i,
    'charge.refunded', '2026-01-01', {json_event}, {time}, {time}, '' FROM {things}""",
    """INSERT INTO "refundRequests" (key, account_id, top_up_id, amount_cents, status, refund, asked_at, created_at) SELECT
    'key' || entry_id, account_id, id, 500, 'made', 're_' || entry_id, created_at, created_at FROM "topUps" WHERE entry_id % 500 = 0""",
    """INSERT INTO "stripeEvents" (id, type, api_version, payload, created_at, applied_at, reason) SELECT 'evt_re_' || entry_id,
    'refund.created', '2026-01-01', {json_refund}, created_at, created_at, '' FROM "topUps" WHERE entry_id % 500 = 0""",
    """INSERT INTO disputes (id, account_id, payment, amount_cents, status, settled, created_at) SELECT 'du_' || entry_id, account_id,
    payment, 2000, 'won', true, created_at FROM "topUps" WHERE entry_id % 500 = 0""",
    """INSERT INTO "cardRefusals" (user_id, who, amount_cents, why, created_at) SELECT i, 'who' || i, 2000, 'Your card was declined.',
    {time} FROM {things}""",
    """INSERT INTO devices (id, user_id, identity, address, binding_type, endpoint, sid, checked_at, created_at) SELECT i, i, 'u_' || i,
    'address' || i, 'apn', 'endpoint' || i, 'BS' || i, {time}, {time} FROM {people}""",
    """INSERT INTO "deviceTags" (device_id, group_id) SELECT i, 1 + i % {group_count} FROM {people}""",
    """INSERT INTO "sandboxNotifications" (group_id, body, identities, created_at) SELECT 1 + i % {group_count}, 'Group ' || i || ' talks',
    {json_list}, {time} FROM {things}""",
    """INSERT INTO "vendorDeletions" (kind, name, asked_at, tries, try_at, fault) SELECT 'picture', 'picture' || i, {time}, 3, {time},
    'Unavailable' FROM {few}""",
    """INSERT INTO "paymentNotices" (cause, words, first_at, last_at) SELECT 'cause' || i, 'Stripe refuses ' || i, {time}, {time}
    FROM {few}""",
    """INSERT INTO "unreadWebhooks" (path, field_count, text, created_at) SELECT '/api/voice/callEvents', 10001, 'field1', {time}
    FROM {few}""",
    """INSERT INTO django_admin_log (user_id, content_type_id, object_id, object_repr, action_flag, change_message, action_time)
    SELECT 1, (SELECT min(id) FROM django_content_type WHERE model = 'account'), '' || (1 + i % 100), 'Account', 2, '[]', {time}
    FROM {things}""",
)


def fill() -> None:
    """Leaves a database alone that has people."""
    if User.objects.exists():
        return
    vendor = connection.vendor
    series = {name: SERIES[vendor].format(count=count) for name, count in COUNTS.items()}
    counts = {"group_count": COUNTS["groups"], "people_count": COUNTS["people"]}
    jsons = {
        "json_sid": JSONS[vendor].format(text="""'{"CallSid": "CA' || i || '"}'"""),
        "json_event": JSONS[vendor].format(text=EVENT),
        "json_refund": JSONS[vendor].format(text=REFUND),
        "json_list": JSONS[vendor].format(text="""'["u_' || i || '"]'"""),
    }
    values = {**series, **counts, **jsons, "conference_count": COUNTS["conferences"], "uuid": UUIDS[vendor]}
    with connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement.format(**values, time=TIMES[vendor].format(seconds="i * 30")))
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models()):
            cursor.execute(statement)
        cursor.execute("ANALYZE" if vendor == "sqlite" else "VACUUM ANALYZE")
