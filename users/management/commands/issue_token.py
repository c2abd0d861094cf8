"""A sign-in without a provider, for development: `make run SIGN_IN=on` accepts it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from users.models import User
from users.sign_in.local_issuer import local_token
from users.sign_in.tokens import usable_email

MOST_HOURS = 24 * 365


class Command(BaseCommand):
    help = "Prints a bearer token for this email. For development: no production server accepts it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whose sign-in it is")
        parser.add_argument("--hours", type=int, default=24, help="how long it is valid (%(default)s)")

    def handle(self, *args: Any, email: str, hours: int, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Tokens of this machine's own are for development: DB_ENV is production.")
        if usable_email(email) is None:
            raise CommandError(f"{email!r} is no email address.")
        if not 0 < hours <= MOST_HOURS:
            raise CommandError(f"Use from 1 to {MOST_HOURS} hours.")
        self.stdout.write(local_token(email, seconds=hours * 3600))
        if not User.objects.with_email(email).exists():
            self.stderr.write(f"Nobody has signed up with this email yet: post it to {settings.PUBLIC_URL}/api/users.")
        if settings.OPEN_MODE:
            self.stderr.write("A server in open mode asks for no token: start it with `make run SIGN_IN=on`.")
