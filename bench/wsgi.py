"""The product as `voicechat.wsgi` serves it, with the routes of `bench.urls`."""

from django.conf import settings

from voicechat.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "bench.urls"  # read with the first request
