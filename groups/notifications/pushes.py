"""The one door by which devices are told something: any number of them, by jobs, each of them once.

    push(Device.objects.of_people([7, 12]), cause="invitation:31", body="Alice invites you to Family.", group_id=4)
    push(Device.objects.of_group(group), cause=f"call:{sid}", body="A call has started.", group_id=4, until=later)

What is to be told is a row (`Push`), and its devices are jobs of BATCH each, stored in the caller's transaction. Those
that their vendor could not take now are tried again, and they alone: when the vendor wants it, or after growing pauses,
until nobody wants to hear it any more. Only where a worker is killed between the vendors' answers and its own commit is
that batch told twice; a device shows one of the two, for they replace each other.

A kind of cause (the word before its colon) may say more, in `concerns`: whom it still concerns, asked before each try,
and what follows once every device was told, or will not be.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django_tasks import task

from core.jobs.queue import enqueue_each
from core.jobs.tasks import Bounds
from core.transactions import atomic_and_retried
from groups.device_models import MOST_WORDS, DeviceQuerySet
from groups.models import Device, Push
from groups.notifications.sending import Outcome, send

logger = logging.getLogger(__name__)

BATCH = 100
"""Devices of one job."""
LATEST = timedelta(minutes=10)
"""So long is tried to tell what is nobody's hurry in particular."""
MINUTE = timedelta(minutes=1)
PAUSES = Bounds(longest_wait=MINUTE)
"""Between two tries of devices whose vendor does not say when."""
KEPT_FOR = timedelta(days=7)
LONGEST = 24 * 3600.0
"""Seconds: a vendor that wants to be asked again later than this does not mean today."""

Pair = tuple[int, int | None]
"""A device and whose it was when it was to be told: it may be another's by the time that it is."""


@dataclass(frozen=True, slots=True)
class Concern:
    """What a kind of pushes is about. Both are given the cause without its kind, and may be called twice."""

    still: Callable[[str, DeviceQuerySet], DeviceQuerySet | None]
    """Which of these devices it concerns now; None where it concerns nobody any more."""
    ended: Callable[[str, Push], None]
    """Called by a job, outside a transaction, once no device is left to be told."""


concerns: dict[str, Concern] = {}
"""By kind. The floor that pushes something puts it here."""


def push(
    devices: DeviceQuerySet,
    *,
    cause: str,
    body: str,
    group_id: int | None = None,
    until: datetime | None = None,
    is_call: bool = False,
) -> Push:
    """Has these devices told `body` by jobs, in the caller's transaction. A few statements, however many there are.

    `cause` ("kind:name", up to 128 letters, ids and no names) is what it is about: who pushes the same again changes
    nothing, and gets the row that there is. `body` is what a phone shows, a sentence; it is cut after 500 letters.
    `group_id` is what the app opens; a newer push of that group takes the place of one that nobody has looked at yet.
    After `until` (ten minutes from now) nobody is told. Only where it `is_call`, and somebody waits on the call, do
    iPhones ring that can: Apple ends an app that is rung and shows no call. Where notifications are switched off there
    is nobody to tell.

    What becomes of it stands in the row, in the admin, and, where devices were missed, in the log.
    """
    devices = devices.for_call() if is_call else devices.for_words()
    batches = list(in_batches(devices)) if settings.NOTIFICATIONS else []
    return store(batches, cause=cause, body=body, group_id=group_id, until=until)


@transaction.atomic
def store(
    batches: list[list[Pair]], *, cause: str, body: str, group_id: int | None, until: datetime | None = None
) -> Push:
    """As `push`, of devices that are in batches already."""
    fields = {
        "body": body[:MOST_WORDS],
        "group_id": group_id,
        "until_at": until or timezone.now() + LATEST,
        "devices": sum(map(len, batches)),
    }
    told, is_new = Push.objects.get_or_create(cause=cause, defaults=fields)
    if is_new:
        enqueue_each(tell_batch, [(told.pk, batch, 1) for batch in batches])
        if not batches:
            end(told)
    return told


def in_batches(devices: DeviceQuerySet) -> Iterator[list[Pair]]:
    """One person's devices stay together: there is a channel that tells all of them at once."""
    batch: list[Pair] = []
    rows = devices.order_by("identity", "pk").values_list("identity", "pk", "user_id")
    for _, of_one in groupby(rows, key=itemgetter(0)):
        own = [(pk, user_id) for _, pk, user_id in of_one]
        if batch and len(batch) + len(own) > BATCH:
            yield batch
            batch = []
        batch += own
    if batch:
        yield batch


@task(seconds=35, tries=15, longest_wait=MINUTE)
def tell_batch(push_id: int, batch: list[Pair], tries: int) -> None:
    """Tells these devices, as far as it still concerns them. Those that were missed are another job's."""
    for told in Push.objects.filter(pk=push_id):
        devices = still_concerned(told, batch)
        outcome = Outcome() if devices is None else send(devices, body=told.body, group_id=told.group_id)
        spared = 0 if devices is None else len(batch) - len(devices)
        settle(told, len(batch) if devices is None else 0, spared, outcome, tries)


def still_concerned(told: Push, batch: list[Pair]) -> list[Device] | None:
    """None where nobody wants to hear it any more."""
    if told.until_at <= timezone.now() or not settings.NOTIFICATIONS:
        return None
    owners = dict(batch)
    devices: DeviceQuerySet | None = Device.objects.filter(pk__in=owners)
    kind, _, name = told.cause.partition(":")
    if devices is not None and kind in concerns:
        devices = concerns[kind].still(name, devices)
    return None if devices is None else [device for device in devices if device.user_id == owners[device.pk]]


@atomic_and_retried
def settle(told: Push, given_up: int, spared: int, outcome: Outcome, tries: int) -> None:
    """Counts what became of a batch, and stores the jobs of those that are to be told later."""
    now, pause = timezone.now(), PAUSES.wait(tries)
    later: dict[datetime, list[Pair]] = defaultdict(list)
    for device, wait in outcome.missed:
        at = now + (pause if wait is None else timedelta(seconds=min(wait, LONGEST)))
        later[at].append((device.pk, device.user_id))
    missed = len(outcome.refused) + given_up
    mute = Device.objects.beside([*outcome.gone, *outcome.refused])
    instead: list[Pair] = [*mute.values_list("pk", "user_id")]
    if instead:
        tell_batch.enqueue(told.pk, instead, 1)
    for at, pairs in later.items():
        if at < told.until_at:
            tell_batch.using(run_after=at).enqueue(told.pk, pairs, tries + 1)
        else:
            missed += len(pairs)
    ours = Push.objects.filter(pk=told.pk)
    ours.update(
        devices=F("devices") + len(instead),
        told=F("told") + len(outcome.told),
        gone=F("gone") + len(outcome.gone),
        spared=F("spared") + spared,
        missed=F("missed") + missed,
    )
    for now_told in ours.filter(ended_at=None):
        if not now_told.left:
            end(now_told)


def end(told: Push) -> None:
    """Notes that no device is left to be told, and how many were not."""
    told.ended_at = timezone.now()
    told.save(update_fields=["ended_at"])
    if told.missed:
        logger.warning("Of %s, %s of %s devices could not be told", told.cause, told.missed, told.devices)
    if told.cause.partition(":")[0] in concerns:
        conclude.enqueue(told.pk)


@task
def conclude(push_id: int) -> None:
    """What follows the end of a push, by whoever it concerns."""
    for told in Push.objects.filter(pk=push_id):
        kind, _, name = told.cause.partition(":")
        if kind in concerns:
            concerns[kind].ended(name, told)


def old_pushes(now: datetime) -> QuerySet[Push]:
    return Push.objects.filter(created_at__lt=now - KEPT_FOR)
