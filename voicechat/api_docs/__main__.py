"""Prints the tables of docs/errors.md: `python -m voicechat.api_docs`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicechat.settings")
django.setup()

from voicechat.api_docs.page import as_markdown  # noqa: E402  # its exceptions need the settings

print(as_markdown())  # noqa: T201  # for whoever writes the page
