from importlib import import_module

from django.apps import AppConfig

from core.triggers import follow_migrations


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Money"

    def ready(self) -> None:
        import_module("billing.receivers").connect()
        triggers = import_module("billing.triggers")
        follow_migrations(self, triggers.TRIGGERS, in_the_way=triggers.OWN_ENTRY)
