from importlib import import_module

from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = "People"

    def ready(self) -> None:
        import_module("users.receivers").connect()
        import_module("users.operators.sessions").connect()
