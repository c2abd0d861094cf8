"""No more e-mails, by one click in one of them: nobody signs in for that. https://www.rfc-editor.org/rfc/rfc8058

The address in an e-mail names its person, signed. It never runs out, opens nothing else, and turns e-mail off, no more.
"""

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import Http404

from users.notification_choices import choose

SALT = "users.unsubscribing"
PATH = "/api/users/unsubscribe"


def unsubscribe_address(user_id: int) -> str:
    return f"{settings.PUBLIC_URL}{PATH}?token={Signer(salt=SALT).sign(str(user_id))}"


def person_of(token: str) -> int:
    """Raises Http404 for a token that is none of ours."""
    try:
        return int(Signer(salt=SALT).unsign(token))
    except (BadSignature, ValueError):
        raise Http404 from None


def unsubscribe(token: str) -> None:
    """Twice is once. Raises Http404, also where the person is gone."""
    choose(user_id=person_of(token), email=False)
