from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class GroupsConfig(AppConfig):
    name = "groups"

    def ready(self) -> None:
        import_module("groups.receivers").connect()
        triggers = import_module("groups.triggers")
        pre_migrate.connect(triggers.make_way, sender=self)
        post_migrate.connect(triggers.install, sender=self)
