"""E-mails, in text and HTML: one sentence, one button, to be read on a phone."""

from django.conf import settings
from django.template.loader import render_to_string

from groups.notifications.mail.interface import Email
from groups.notifications.models import Notice
from groups.notifications.notices.words import words_of
from users.unsubscribing import unsubscribe_address


def letter(notice: Notice) -> Email:
    words, unsubscribe = words_of(notice), unsubscribe_address(notice.user_id)
    shown = {"words": words, "button_url": settings.CLIENT_URL, "unsubscribe": unsubscribe}
    return Email(
        to=notice.user.email,
        subject=words.subject,
        text=render_to_string("notices/letter.txt", shown),
        html=render_to_string("notices/letter.html", shown),
        key=f"notice-{notice.pk}",
        unsubscribe=unsubscribe,
    )
