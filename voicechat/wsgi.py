"""What gunicorn serves."""

import os

import django
from django.db.backends.signals import connection_created

from voicechat.connections import bound_statements
from voicechat.handler import Handler
from voicechat.postgresql.base import Serving

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicechat.settings")

django.setup(set_prefix=False)
application = Handler()

Serving.is_bounded = True
connection_created.connect(bound_statements)  # after `notice_pooler`, which the app connects
