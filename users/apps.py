from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from core.search import teach_sqlite
from core.triggers import follow_migrations


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = "People"

    def ready(self) -> None:
        import_module("users.receivers").connect()
        import_module("users.operators.sessions").connect()
        connection_created.connect(teach_sqlite)
        follow_migrations(self, import_module("users.triggers").TRIGGERS)
