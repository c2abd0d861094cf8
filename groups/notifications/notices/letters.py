"""The letter of a notice."""

from django.conf import settings

from groups.notifications.mail.interface import Email
from groups.notifications.mail.letters import Letter, email_of
from groups.notifications.models import Notice
from groups.notifications.notices.words import words_of
from users.unsubscribing import unsubscribe_address


def letter(notice: Notice) -> Email:
    words, end = words_of(notice), unsubscribe_address(notice.user_id)
    read = Letter(**words._asdict(), button_url=settings.CLIENT_URL, unsubscribe=end)
    return email_of(read, to=notice.user.email, key=f"notice-{notice.pk}")
