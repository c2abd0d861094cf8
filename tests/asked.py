"""The question of `groups/versions.py`, by a driver's own cursor, as the door asks it."""

from contextlib import closing

from django.db import connection

from groups.versions import QUESTION, Answer, Poll, ask


def asked(*polls: Poll) -> list[Answer]:
    connection.ensure_connection()
    with closing(connection.connection.cursor()) as cursor:
        return ask(cursor, QUESTION[connection.vendor], polls)
