"""Twilio's webhooks that are authentic and yet not read: they have more fields than a form may have.

Refused they would be sent again, and a caller would hear Twilio's own words. So they are kept aside for staff.
"""

import logging
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict

from billing.notices import notify
from voice.models import UnreadWebhook

logger = logging.getLogger(__name__)

KEPT_LETTERS = 10_000
MOST_KEPT = 100
WORDS = "A webhook of Twilio's had more fields than are read ({}). It is kept under Unread webhooks; nothing followed."


def has_too_many_fields(request: HttpRequest) -> bool:
    """Counted as Django counts them: before anything is read."""
    return request.method == "POST" and request.body.count(b"&") >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS


def form_fields(request: HttpRequest) -> Any:
    """A form's fields, however many there are: a signature is over all of them."""
    if not has_too_many_fields(request):
        return request.POST
    fields: MultiValueDict[str, str] = MultiValueDict()
    for name, value in parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True):
        fields.appendlist(name, value)
    return fields


def keep_aside(request: HttpRequest) -> None:
    """The newest ones, and of each how its fields are called."""
    count = request.body.count(b"&") + 1
    logger.warning("A webhook of Twilio's has %s fields, and is kept aside", count)
    names = " ".join(dict.fromkeys(form_fields(request)))  # no values: those of a call are people's numbers
    text = names.encode(errors="replace").decode().replace("\x00", "")[:KEPT_LETTERS]
    UnreadWebhook.objects.create(path=request.path_info[:255], field_count=count, text=text)
    old = UnreadWebhook.objects.order_by("-pk").values_list("pk", flat=True)[MOST_KEPT : 2 * MOST_KEPT]
    UnreadWebhook.objects.filter(pk__in=list(old)).delete()
    notify("twilio:fields", WORDS.format(count))
