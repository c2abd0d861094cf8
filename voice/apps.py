from importlib import import_module

from django.apps import AppConfig


class VoiceConfig(AppConfig):
    name = "voice"
    verbose_name = "Calls"

    def ready(self) -> None:
        import_module("voice.receivers").connect()
        import_module("voice.checks")
