"""The ways by which people are told, which of them are on, and what each does. Each returns why it told nobody, or "".

Quiet where nobody asked: missed calls come by push, and by SMS to who has turned that on; invitations and money come by
e-mail, too.
"""

from collections.abc import Callable

from django.conf import settings

from groups.notifications.mail.interface import MailRefused, mailer
from groups.notifications.models import Notice
from groups.notifications.notices.letters import letter
from groups.notifications.notices.pushing import push_notice
from groups.notifications.notices.words import words_of
from groups.notifications.sms.texting import text_to

Way, Kind = Notice.Way, Notice.Kind

REFUSED = "The mail server refuses their address."
OFF = "This way is switched off here."
BY_PUSH_ALONE = (Kind.MISSED,)


def ways_of(kind: Notice.Kind) -> list[Notice.Way]:
    """Those that are on here, and that this is told by."""
    return [way for way in SENDERS if is_on(way) and not (way == Way.EMAIL and kind in BY_PUSH_ALONE)]


def is_on(way: str) -> bool:
    return bool({Way.PUSH: settings.NOTIFICATIONS, Way.EMAIL: settings.MAIL, Way.SMS: settings.SMS}[Way(way)])


def email(notice: Notice) -> str:
    """Raises MailUnavailable."""
    try:
        mailer().send(letter(notice))
    except MailRefused:
        return REFUSED
    return ""


def sms(notice: Notice) -> str:
    """Raises TextUnavailable."""
    return text_to(notice.user, words_of(notice).sentence)


SENDERS: dict[Notice.Way, Callable[[Notice], str]] = {Way.PUSH: push_notice, Way.EMAIL: email, Way.SMS: sms}


def by(notice: Notice) -> str:
    return SENDERS[Way(notice.way)](notice) if is_on(notice.way) else OFF
