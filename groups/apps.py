from importlib import import_module

from django.apps import AppConfig

from core.triggers import follow_migrations


class GroupsConfig(AppConfig):
    name = "groups"

    def ready(self) -> None:
        import_module("groups.receivers").connect()
        follow_migrations(self, import_module("groups.triggers").TRIGGERS)
        follow_migrations(self, import_module("groups.caption_triggers").TRIGGERS)
