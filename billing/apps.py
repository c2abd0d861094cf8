from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Money"

    def ready(self) -> None:
        import_module("billing.receivers").connect()
        triggers = import_module("billing.triggers")
        pre_migrate.connect(triggers.make_way, sender=self)
        post_migrate.connect(triggers.install, sender=self)
