"""How a transactional test's database is emptied: Django's own `flush` empties all of seventy tables, and makes content
types, permissions and triggers anew, which no test has touched.
"""

from functools import cache
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

import billing.triggers
import groups.triggers
import users.triggers
from billing.triggers import APPEND_ONLY, LEDGER
from core import triggers
from core.triggers import Trigger

LEFT = {model._meta.db_table for model in (ContentType, Permission)}
"""What migrations have written."""
ALL = (*users.triggers.TRIGGERS, *groups.triggers.TRIGGERS, *billing.triggers.TRIGGERS)


@cache
def tables() -> list[str]:
    return [name for name in connection.introspection.django_table_names(only_existing=True) if name not in LEFT]


def empty(*_: Any) -> None:
    """Deletes from the tables that hold anything, in one transaction, at whose end foreign keys are checked. The ledger
    refuses that: its triggers come off before, and with whatever else a test has taken off they are put on again."""
    vendor, quote = connection.vendor, connection.ops.quote_name
    questions = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quote(name)})" for name in tables())
    with connection.cursor() as cursor:
        with transaction.atomic():
            cursor.execute(" UNION ALL ".join(questions))
            held = [name for (name,) in cursor.fetchall()]
            for guard in triggers.of(vendor, APPEND_ONLY) if LEDGER in held else ():
                cursor.execute(guard.drop_sql(vendor))
            for name in held:
                cursor.execute(f"DELETE FROM {quote(name)}")
        for trigger in lacking(cursor):
            cursor.execute(trigger.sql(vendor))


def lacking(cursor: Any) -> list[Trigger]:
    cursor.execute(triggers.THERE[connection.vendor])
    names = triggers.missing(ALL, connection.vendor, cursor.fetchall())
    return [each for each in triggers.of(connection.vendor, ALL) if each.name in names]
