"""All that is kept about somebody, for an operator who is asked for it."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.wire import number_in
from users.models import User
from voicechat.export.archive import write_export

NEW, FOR_NOBODY_ELSE = os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600


class Command(BaseCommand):
    help = "Writes a ZIP of all that is kept about a person. It is theirs: send it to nobody else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", help="their email or id")
        parser.add_argument("--output", type=Path, help="the file to write (voice-chatroom-<id>.zip)")

    def handle(self, *args: Any, person: str, output: Path | None, **options: Any) -> None:
        user = find(person)
        path = output or Path(f"voice-chatroom-{user.pk}.zip")
        try:
            with os.fdopen(os.open(path, NEW, FOR_NOBODY_ELSE), "wb") as file:
                write_export(user, file, now=timezone.now())
        except FileExistsError:
            raise CommandError(f"{path} is there already: name another file by --output.") from None
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Wrote {path}: {path.stat().st_size:,} bytes.")


def find(person: str) -> User:
    pk = number_in(person)
    people = User.objects.with_email(person) if pk is None else User.objects.filter(pk=pk)
    if found := people.first():
        return found
    raise CommandError(f"Nobody here has the {'email' if pk is None else 'id'} {person}.")
