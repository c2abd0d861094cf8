"""`manage.py` without its beginning: each command runs in a fork of one process, which has loaded everything before.

A fork is a process as any other: it can be killed at a failpoint, or at one of its statements, and ends with a status.

    python -m tests.adoption.forks     # a line of JSON for each command, and one with how it ended
"""

import gc
import json
import os
import signal
import sys
import tempfile
from itertools import count

import django
from django.conf import settings
from django.core.management import execute_from_command_line
from django.db import connections
from django.test import Client
from django.urls import get_resolver

from voicechat.command_errors import install
from voicechat.database_url import SQLITE_OPTIONS, read_database
from voicechat.startup import load_settings

MOST_SECONDS = 300


def serve():
    """It ends with its standard input."""
    install()
    load_settings()
    django.setup()
    Client()
    get_resolver().check()  # loads every view
    connections["default"]
    gc.disable()  # a fork does not live long
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(forked(json.loads(line)))}\n")
        sys.stdout.flush()


def forked(asked):
    """[status, what it said, what went wrong]"""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as wrong:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(wrong.fileno(), 2)
            os._exit(status_of(asked))
        _, status = os.waitpid(child, 0)
        said.seek(0)
        wrong.seek(0)
        return os.waitstatus_to_exitcode(status), said.read(), wrong.read()


def status_of(asked):
    """In the fork, as Python ends a script."""
    signal.alarm(MOST_SECONDS)
    status = 0
    try:
        settle(asked)
        execute_from_command_line(["manage.py", *asked["arguments"]])
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def settle(asked):
    """Settings were read when this process began, with another database, which nobody has asked anything."""
    for name, value in asked["settings"].items():
        setattr(settings, name, value)
    found, faults = read_database(asked["url"])
    assert not faults
    if found["ENGINE"] == "django.db.backends.sqlite3":
        found["OPTIONS"] = SQLITE_OPTIONS
    connections.close_all()
    del connections["default"]
    connections.settings = connections.configure_settings({"default": found})
    if asked["kill_at"]:
        connections["default"].execute_wrappers.append(killing_after(asked["kill_at"]))


def killing_after(number):
    """Of the statements, which begin with 1, the one after which the process is gone."""
    numbers = count(1)

    def killing(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if next(numbers) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    return killing


if __name__ == "__main__":
    serve()
