"""What gunicorn serves."""

import os
from typing import Any

import django
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from voicechat.handler import Handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicechat.settings")

django.setup(set_prefix=False)
application = Handler()


def bound_statements(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """A request waits neither long for a lock nor for a statement. Commands may: a migration takes what it takes."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '10s'; SET lock_timeout = '5s'")


connection_created.connect(bound_statements)
