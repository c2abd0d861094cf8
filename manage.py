#!/usr/bin/env python
"""Django's command line: `python manage.py help` lists what it can do."""

import sys

from django.core.management import execute_from_command_line

from voicechat.command_errors import install
from voicechat.startup import load_settings

if __name__ == "__main__":
    install()
    load_settings()
    execute_from_command_line(sys.argv)
