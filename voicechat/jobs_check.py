"""Whether somebody does the jobs. The server answers all the same: whoever watches it must be told."""

import logging
from typing import Any

from django.utils import timezone

from core.jobs.standing import Standing, last_runs, standing

logger = logging.getLogger(__name__)

WORDS = {
    "no_worker": "No worker has been seen for a minute: what follows requests waits. Start `manage.py work`.",
    "late": "The oldest job that is due has waited for %s s: the workers are too few, or hang.",
    "ok": "Jobs are done in time again.",
}


class JobsCheck:
    def __init__(self) -> None:
        self._state = "ok"

    def look(self) -> Standing:
        """Logs when it begins to be wrong, and when it is well again."""
        now = standing(timezone.now())
        if now.state != self._state:
            words = WORDS[now.state]
            logger.warning(words, *((now.late_seconds,) if "%s" in words else ()))
        self._state = now.state
        return now


def details(now: Standing) -> dict[str, Any]:
    """For `/readyz`."""
    return {
        "state": now.state,
        "workers": now.workers,
        "oldestDueSeconds": now.late_seconds,
        "givenUp": now.given_up,
        "schedule": last_runs(),
    }


jobs_check = JobsCheck()
