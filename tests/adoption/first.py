"""Databases as the first back end's migrations made them, by the column types that knex gave them on each database."""

import atexit
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache, cached_property
from urllib.parse import unquote

import psycopg2

from tests.house.starting import ROOT

LISTS = ("usersGroupsOwnership", "usersGroupsMembership", "usersGroupsInvitations", "usersGroupsParticipants")
TYPES = {
    "postgresql": {
        "id": "serial PRIMARY KEY",
        "time": "timestamptz DEFAULT CURRENT_TIMESTAMP",
        "flag": "boolean DEFAULT 'false'",
        "balance": "numeric(8, 2) DEFAULT '0'",
        "float": "real",
    },
    "sqlite": {
        "id": "integer NOT NULL PRIMARY KEY AUTOINCREMENT",
        "time": "datetime DEFAULT CURRENT_TIMESTAMP",
        "flag": "boolean DEFAULT '0'",
        "balance": "float DEFAULT '0'",
        "float": "float",
    },
}
TABLES = """
CREATE TABLE knex_migrations (id {id}, name varchar(255), batch integer, migration_time {time});
CREATE TABLE knex_migrations_lock ("index" {id}, is_locked integer);
CREATE TABLE users (id {id}, "stripeId" varchar(128), "firstName" varchar(128), "lastName" varchar(128),
  avatar varchar(256), "displayName" varchar(128) NOT NULL, email varchar(128) NOT NULL, "phoneNumber" integer,
  "callStatus" {flag} NOT NULL, "billingSubcription" varchar(128) NOT NULL DEFAULT 'free', "accountBalance" {balance},
  last4 varchar(4), "createdAt" {time});
CREATE UNIQUE INDEX users_email_unique ON users (email);
CREATE TABLE groups (id {id}, name varchar(128) NOT NULL, "phoneNumber" varchar(12), "callStatus" {flag},
  "createdAt" {time});
CREATE TABLE activities (id {id}, "groupId" integer NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  "userId" integer NOT NULL REFERENCES users (id), activity varchar(128) NOT NULL, "createdAt" {time});
CREATE TABLE "callSessions" (id {id}, sid {sid}, "userId" integer REFERENCES users (id),
  "groupId" integer REFERENCES groups (id), "startTime" varchar(255), "endTime" varchar(255), duration integer,
  price {float}, "createdAt" {time});
INSERT INTO knex_migrations (name, batch) VALUES ('20190321161651_usersTable.js', 1);
"""
LIST = """
CREATE TABLE "{name}" ("userId" integer REFERENCES users (id) ON DELETE CASCADE,
  "groupId" integer REFERENCES groups (id) ON DELETE CASCADE, "createdAt" {time});
"""


THEN = {"createdAt": "2019-06-01 10:00:00"}


class Old:
    """A database of the first back end. Its rows are inserted as its SQL did, column by column."""

    def __init__(self, url):
        self.url = url
        self.vendor = "sqlite" if url.startswith("sqlite") else "postgresql"

    @cached_property
    def connection(self):
        """Idle between two statements, and in nobody's way."""
        if self.vendor == "sqlite":
            connection = sqlite3.connect(self.file, isolation_level=None)
            connection.execute("PRAGMA synchronous = off")
            return connection
        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        return connection

    @property
    def file(self):
        return unquote(self.url.removeprefix("sqlite:///"))

    def make(self, sid="varchar(64)", **types):
        kinds = {**TYPES[self.vendor], "sid": sid, **types}
        statements = [TABLES.format(**kinds), *(LIST.format(name=name, **kinds) for name in LISTS)]
        for statement in ";".join(statements).split(";"):
            if statement.strip():
                self.run(statement)
        return self

    def run(self, statement, values=()):
        with closing(self.connection.cursor()) as cursor:
            if self.vendor == "postgresql":
                cursor.execute(statement, values or None)  # without values a % is one
            else:
                cursor.execute(statement.replace("%s", "?"), values)
            return cursor.fetchall() if cursor.description else []

    def insert(self, table, **row):
        columns = ", ".join(f'"{name}"' for name in row)
        self.run(f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join(["%s"] * len(row))})', list(row.values()))

    def person(self, id, email, **row):
        self.insert("users", id=id, email=email, **{"displayName": f"Person {id}", **THEN, **row})

    def group(self, id, **row):
        self.insert("groups", id=id, **{"name": f"Group {id}", **THEN, **row})

    def part(self, table, user, group, **row):
        self.insert(table, userId=user, groupId=group, **{**THEN, **row})

    def did(self, id, user, group, **row):
        self.insert("activities", id=id, userId=user, groupId=group, **{"activity": f"did {id}", **THEN, **row})

    def call(self, id, **row):
        self.insert("callSessions", id=id, **{**THEN, **row})

    def rows(self, table):
        return self.run(f'SELECT * FROM "{table}" ORDER BY 1')

    def dump(self):
        """All that it holds, of all tables (SQLite's statistics are one too)."""
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_stat%' ORDER BY 1"
        if self.vendor == "postgresql":
            names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        return {name: sorted(map(repr, self.run(f'SELECT * FROM "{name}"'))) for (name,) in self.run(names)}


@cache
def forks():
    """One for all tests, until they are over."""
    command = [sys.executable, "-m", "tests.adoption.forks"]  # our own interpreter
    environment = {**os.environ, "DB_ENV": "testing"}
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(server.communicate)
    return server


def manage(url, *arguments, kill_at=0, **settings):
    """(status, what it said, what went wrong) of a command on this database, with these settings.

    With `kill_at` it is killed after so many statements.
    """
    asked = {"url": url, "arguments": arguments, "kill_at": kill_at, "settings": settings}
    server = forks()
    server.stdin.write(f"{json.dumps(asked)}\n")
    server.stdin.flush()
    return tuple(json.loads(server.stdout.readline()))


def adopt(url, *arguments, **settings):
    return manage(url, "adopt_database", *arguments, **settings)


def adopted(url, *arguments, **settings):
    """What it said; it must have succeeded."""
    status, said, wrong = adopt(url, *arguments, **settings)
    assert status == 0, said + wrong
    return said


ASK = """
import json
from django.test import Client
print(json.dumps([(answer.status_code, answer.json()) for answer in map(Client().get, {paths!r})]))
"""


def ask(url, *paths, **settings):
    """What the REST API answers on this database: (status, body) of each path."""
    status, said, wrong = manage(url, "shell", "--no-imports", "-c", ASK.format(paths=paths), **settings)
    assert status == 0, wrong
    return json.loads(said.strip().splitlines()[-1])


def count_of(said, words):
    """How many the report counts of these; 0 where it does not name them."""
    found = re.search(rf"^ +([\d,]+)  .*{re.escape(words)}", said, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else 0
