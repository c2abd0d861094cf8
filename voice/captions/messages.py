"""What people type to have it spoken into the call: one after another, in their name, and never lost without a word.

It waits, is spoken or is not, and then says why. Twilio is asked by jobs, and tells when it has spoken; where it tells
nothing, what it fetched within half a minute counts as spoken.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.utils import timezone
from django_tasks import task
from rest_framework.exceptions import APIException

from core.legible import legible
from core.throttle import TooManyRequests
from core.transactions import atomic_and_retried, lock_rows
from core.wire import number_in
from groups.models import Caption, Group
from groups.services import lock_group
from users.limits import Full, take_place
from users.models import User
from voice.captions.asking import caption_language
from voice.models import Call, Conference, GroupCall
from voice.sentences import SOMEBODY_WRITES, WRITES, language_for, spoken
from voice.telephony.interface import Announce, TelephonyUnavailable, telephony

logger = logging.getLogger(__name__)

Spoken = Caption.Spoken

OF_A_PERSON, MINUTE = 6, 60
"""So many messages in so many seconds."""
LONGEST = timedelta(seconds=30)
"""For which the next message waits."""
NOBODY = "Somebody"
CALL_OVER = "The call ended before it was spoken."
NOT_TAKEN = "The telephone service did not speak it. Send it again."
NOT_ANSWERED = "The telephone service did not answer. Send it again."
LANGUAGES = (
    *("da-DK", "de-DE", "en-AU", "en-CA", "en-GB", "en-IN", "en-US", "ca-ES", "es-ES", "es-MX", "fi-FI", "fr-CA"),
    *("fr-FR", "it-IT", "ja-JP", "ko-KR", "nb-NO", "nl-NL", "pl-PL", "pt-BR", "pt-PT", "ru-RU", "sv-SE", "zh-CN"),
    *("zh-HK", "zh-TW"),
)
"""Which every account's voices speak: https://www.twilio.com/docs/voice/twiml/say/text-speech"""


class NoCall(APIException):
    status_code = 409
    default_code = "no_call"
    default_detail = "Nobody is on the group's call, so that nobody would hear it. Ring somebody, or wait for them."


def conferences_of(group_id: int) -> list[str]:
    on = Call.objects.filter(group_id=group_id, is_on=True)
    return list(
        Conference.objects.filter(calls__in=on, ended_at=None).order_by("pk").distinct().values_list("pk", flat=True)
    )


@atomic_and_retried
def type_message(
    *, group_id: int, by: User | None, who: str, text: str, language: str, check: Callable[[], None], now: datetime
) -> Caption:
    """Words that are to be spoken. `who` is under whom they are counted. Raises Http404, NoCall, TooManyRequests."""
    telephony()
    group = lock_group(group_id)
    check()
    if not conferences_of(group_id):
        raise NoCall
    place = take_place("spoken_messages", who, OF_A_PERSON, MINUTE)
    if isinstance(place, Full):
        raise TooManyRequests(place.wait)
    rules = GroupCall.objects.filter(pk=group_id).first() or GroupCall(pk=group_id)
    made = Caption.objects.create(
        group=group,
        user=by,
        display_name=by.display_name if by else NOBODY,
        text=text,
        language=language or caption_language(rules),
        created_at=now,
        typed=True,
        spoken=Spoken.WAITING,
        is_kept=rules.captions_keep and settings.CAPTION_DAYS > 0,
        stored_at=now,
    )
    speak_next.enqueue(group_id)
    return made


@task(seconds=15, tries=6)
def speak_next(group_id: int) -> None:
    """Has the next message spoken, where none is just being."""
    message = claim_next(group_id, now=timezone.now())
    if message:
        speak(message)


@atomic_and_retried
def claim_next(group_id: int, *, now: datetime) -> Caption | None:
    """Under the group's lock: of two who look at once one finds it."""
    lock_rows(Group.objects.filter(pk=group_id))
    waiting = list(Caption.objects.waiting(group_id)[:OF_A_PERSON])
    if not waiting or any(each.asked_at for each in waiting):
        return None
    first = waiting[0]
    first.asked_at = now
    first.save(update_fields=["asked_at"])
    settle.using(run_after=now + LONGEST).enqueue(first.pk)
    return first


def speak(message: Caption) -> None:
    """Whatever comes of it, it is said. Where one of two conferences hears it, nobody is asked to send it again."""
    url = f"{settings.PUBLIC_URL}/api/voice/announcement?{urlencode({'message': message.pk})}"
    is_heard, why = False, CALL_OVER
    for sid in conferences_of(message.group_id):
        try:
            is_heard |= telephony().announce(conference_sid=sid, url=url)
        except TelephonyUnavailable:
            why = NOT_ANSWERED
    if not is_heard:
        note(message.pk, Spoken.NOT_SPOKEN, why)
    elif telephony().is_played:
        note(message.pk, Spoken.SPOKEN)


@task(seconds=15, tries=6)
def settle(message_id: int) -> None:
    """Half a minute later: what Twilio has fetched it has spoken, and what it has not it will not."""
    for message in Caption.objects.filter(pk=message_id):
        if message.fetched_at:
            note(message_id, Spoken.SPOKEN)
        else:
            note(message_id, Spoken.NOT_SPOKEN, NOT_TAKEN)


@atomic_and_retried
def note(message_id: int, spoken: Caption.Spoken, why: str | None = None) -> None:
    """The first word counts. Then it is the next one's turn."""
    if Caption.objects.filter(pk=message_id, spoken=Spoken.WAITING).update(spoken=spoken, why=why):
        speak_next.enqueue(Caption.objects.get(pk=message_id).group_id)


def give_up_waiting(group_id: int) -> None:
    """Nobody is on any more."""
    Caption.objects.waiting(group_id).update(spoken=Spoken.NOT_SPOKEN, why=CALL_OVER)


def learn_of_announcement(url: str, *, is_spoken: bool) -> None:
    """Twilio has spoken what this address gave, or could not."""
    query = parse_qs(urlsplit(url).query) if url.startswith(f"{settings.PUBLIC_URL}/api/voice/announcement?") else {}
    message_id = number_in(query.get("message", [""])[0])
    if message_id is not None:
        note(message_id, Spoken.SPOKEN if is_spoken else Spoken.NOT_SPOKEN, None if is_spoken else NOT_TAKEN)


def words_of(message_id: str, *, now: datetime) -> Announce:
    """What Twilio is to speak; nothing, where nobody waits for it any more."""
    pk = number_in(message_id)
    message = Caption.objects.filter(pk=pk, typed=True).exclude(spoken=Spoken.NOT_SPOKEN).first() if pk else None
    if message is None or not message.text:
        return Announce(())
    Caption.objects.filter(pk=message.pk).update(fetched_at=now)
    voice = message.language if message.language in LANGUAGES else language_for(message.language)
    sentence = WRITES if message.user_id else SOMEBODY_WRITES
    who = spoken(sentence, language_for(message.language), name=legible(message.display_name))
    return Announce((who, legible(message.text)), voice)
