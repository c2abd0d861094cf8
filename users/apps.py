from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

from core.search import teach_sqlite


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = "People"

    def ready(self) -> None:
        import_module("users.receivers").connect()
        import_module("users.operators.sessions").connect()
        connection_created.connect(teach_sqlite)
        triggers = import_module("users.triggers")
        pre_migrate.connect(triggers.make_way, sender=self)
        post_migrate.connect(triggers.install, sender=self)
