"""Text messages to people."""

from contextlib import suppress

from django.http import Http404

from groups.notifications.sms.interface import OptedOut, TextRefused, texter
from users.models import User, VerifiedNumber
from users.notification_choices import choose

NO_NUMBER = "They have verified no telephone number."
STOPPED = "They have answered STOP."
REFUSED = "Their telephone takes no text messages."


def number_of(person: User) -> str | None:
    """The number to which this person's messages go, E.164 with its plus; None where there is none.

    Only one that they have verified: what they say that their number is may be anybody's.
    """
    return VerifiedNumber.objects.filter(user=person).values_list("number", flat=True).first()


def text_to(person: User, text: str) -> str:
    """Sends a person a message; why not, or "" where it was sent. Who has answered STOP has turned them off by that.

    Whether they want any is for the caller to ask. Raises TextUnavailable, NotConfigured.
    """
    number = number_of(person)
    if number is None:
        return NO_NUMBER
    try:
        texter().send(to=number, text=text)
    except OptedOut:
        with suppress(Http404):  # deleted meanwhile
            choose(user_id=person.pk, sms=False)
        return STOPPED
    except TextRefused:
        return REFUSED
    return ""
