"""Work on many rows of which each is tried by itself: what fails is counted and left to the next run."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework.exceptions import APIException

from core import deadline

logger = logging.getLogger(__name__)

ENOUGH = 3


class Attempts:
    """The attempts of one run. It is over early once a vendor has failed to answer for three of them in a row, or the
    run's deadline has passed."""

    def __init__(self) -> None:
        self.failed = 0
        self.unanswered = 0
        """How many attempts in a row, up to now, got no answer from their vendor."""

    @property
    def is_over(self) -> bool:
        return self.unanswered >= ENOUGH or deadline.is_over()

    @contextmanager
    def one(self, what: str) -> Iterator[None]:
        """Lets a failure inside be: what was to be done ("ask about call CA1") is logged as not done, and counted."""
        try:
            yield
            self.unanswered = 0
        except APIException as error:
            self.unanswered = self.unanswered + 1 if error.status_code >= 500 else 0
            self.fail(what, error)
        except Exception as error:  # the database's, or a fault of ours that one row brings out: the others go on
            self.fail(what, error)

    def fail(self, what: str, error: Exception) -> None:
        self.failed += 1
        logger.warning("Could not %s: %s", what, type(error).__name__)
