from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from voicechat.connections import keep_private, notice_pooler


class VoicechatConfig(AppConfig):
    name = "voicechat"

    def ready(self) -> None:
        connection_created.connect(notice_pooler)
        connection_created.connect(keep_private)
        import_module("voicechat.checks")
