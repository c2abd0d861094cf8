from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Money"

    def ready(self) -> None:
        import_module("billing.receivers").connect()
        post_migrate.connect(import_module("billing.triggers").install, sender=self)
