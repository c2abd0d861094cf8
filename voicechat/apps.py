from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from voicechat.connections import notice_pooler


class VoicechatConfig(AppConfig):
    name = "voicechat"

    def ready(self) -> None:
        connection_created.connect(notice_pooler)
        import_module("voicechat.checks")
