"""The jobs' own `work`, which does nothing on a database that is not, or not wholly, this server's yet."""

from typing import Any

from core.jobs.management.commands import work
from voicechat.startup import refuse_unfit_database


class Command(work.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unfit_database()
        super().handle(*args, **options)
