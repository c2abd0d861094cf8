"""Whether the database takes changes: it does not say of itself that its disk is full, or that it is a standby."""

from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from uuid import uuid4

from django.contrib.sessions.models import Session
from django.db import DatabaseError, transaction

from voicechat.database_errors import NOT_WRITABLE, Unavailable, unavailable

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
EVERY = 5.0
"""Seconds. In between what was well counts as well: whoever asks writes nothing. What was not is asked at once again:
it costs as little, and is over as soon as it is."""
SIZE = 16 * 1024
"""Letters: more than the free rest of a page, so that the file must grow."""


class WriteCheck:
    """Tries it, by a row that is gone again in the same transaction. Of the sessions: it is nobody's, and over."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tried_at = float("-inf")
        self._why: Unavailable | None = None

    def why_not(self) -> Unavailable | None:
        """Why it cannot be written, as last tried. Raises DatabaseError for any other fault."""
        is_due = self._why is not None or monotonic() - self._tried_at >= EVERY
        if is_due and self._lock.acquire(blocking=False):
            try:
                self._why = self._try()
                self._tried_at = monotonic()
            finally:
                self._lock.release()
        return self._why

    def _try(self) -> Unavailable | None:
        try:
            with transaction.atomic():
                data = "".join(uuid4().hex for _ in range(SIZE // 32))  # nothing that could be compressed
                Session.objects.create(session_key=uuid4().hex, session_data=data, expire_date=LONG_AGO).delete()
        except DatabaseError as error:
            what = unavailable(error)
            if what in NOT_WRITABLE:
                return what
            if getattr(error.__cause__, "sqlite_errorname", "") == "SQLITE_BUSY":
                return None  # somebody else is writing
            raise
        return None


write_check = WriteCheck()
