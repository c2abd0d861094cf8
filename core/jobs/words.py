"""What went wrong, in words for operators: our own, and of an exception its class. Its text may quote a row."""

from rest_framework.exceptions import APIException

from core.jobs.tasks import UnknownTaskError, UnreadableArgumentsError

UNKNOWN = "This release knows no such task: it was removed, or comes with a newer one."
UNREADABLE = "Its arguments are no JSON that the task could be called with."


def in_words(error: BaseException) -> str:
    if isinstance(error, UnknownTaskError):
        return UNKNOWN
    if isinstance(error, UnreadableArgumentsError):
        return UNREADABLE
    name = type(error).__name__
    if isinstance(error, APIException):
        return f"{type(error).default_detail} ({name})"
    return f"It failed by {name}: the log says where."
