"""What the activities say of captions, in the name of whoever has turned them on: all see it, they too."""

from groups.models import Activity
from users.models import User
from voice.models import GroupCall, Transcription

Fault = Transcription.Fault

ON = "has turned captions on"
OFF = "has turned captions off"
NO_MONEY = "has no captions any more: the money for them is nearly used up"
FAULTS = {
    Fault.GONE: "has no captions of one phone: it was not on the call any more",
    Fault.SETUP: "has no captions: the telephone service does not take this language. Choose another, and try again",
    Fault.SILENT: "has no captions of one phone yet: the telephone service has not begun with it",
}


def say(group_id: int, user_id: int | None, line: str) -> None:
    """The caller holds the group's lock, or locks nothing behind it."""
    if user_id is not None and User.objects.filter(pk=user_id).exists():
        Activity.objects.create(group_id=group_id, user_id=user_id, activity=line)


def say_fault(rules: GroupCall, fault: Fault) -> None:
    """In the name of who turned captions on."""
    say(rules.pk, rules.captions_by, FAULTS[fault])
