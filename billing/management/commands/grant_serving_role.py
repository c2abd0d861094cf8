"""Gives a role of PostgreSQL what the server needs to serve, and no more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from billing.roles import UnfitRoleError, grant_to_server


class Command(BaseCommand):
    help = "Lets a role serve: it reads and writes rows, adds to the ledger, and can alter nothing. After each migrate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("SQLite knows no roles: this is for PostgreSQL.")
        try:
            grant_to_server(options["role"])
        except UnfitRoleError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f'The role "{options["role"]}" may serve.')
