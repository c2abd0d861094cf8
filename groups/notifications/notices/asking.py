"""Whether somebody is still to be told: asked when it is told, for much may have happened since it was stored."""

from collections.abc import Callable
from datetime import datetime, timedelta

from groups.models import Group, Invitation
from groups.notifications.models import Notice
from users.models import VerifiedNumber
from users.notification_choices import choices_of

Kind = Notice.Kind

LATEST = timedelta(days=1)
"""After so long nobody wants to hear it any more: a job that was given up may be tried again at any time."""
DISABLED = "Their account is disabled."
NOT_CHOSEN = "They want nothing by this way."
TOO_LATE = "It came too late."
NO_LONGER = "It is so no longer."


def is_still_invited(notice: Notice) -> bool:
    return Invitation.objects.filter(pk=int(notice.about)).exists()


def is_still_in_group(notice: Notice) -> bool:
    return Group.objects.of_person(notice.user).filter(pk=notice.group_id or 0).exists()


def is_still_theirs(notice: Notice) -> bool:
    return VerifiedNumber.objects.filter(user=notice.user_id, number__endswith=notice.facts["ending"]).exists()


is_still_so: dict[Notice.Kind, Callable[[Notice], bool]] = {
    Kind.INVITED: is_still_invited,
    Kind.MISSED: is_still_in_group,
    Kind.SHARED: is_still_theirs,
}
"""What an upper floor knows about, it puts here."""


def why_not(notice: Notice, *, now: datetime) -> str:
    """Empty where it is to be told."""
    if not notice.user.is_active:
        return DISABLED
    if not getattr(choices_of(notice.user_id), notice.way):
        return NOT_CHOSEN
    if notice.created_at < now - LATEST:
        return TOO_LATE
    asked = is_still_so.get(Kind(notice.kind))
    return NO_LONGER if asked and not asked(notice) else ""
