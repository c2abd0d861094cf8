"""Large exports are made by a job, and kept for a day."""

from collections.abc import Callable
from datetime import datetime, timedelta
from tempfile import SpooledTemporaryFile

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_tasks import task

from users.models import Export, User
from voicechat.export.archive import write_export

MOST_AT_ONCE = 5000
"""Rows of an export that is made while its client waits: a few tenths of a second."""
IN_MEMORY = 8 * 1024 * 1024
FRESH = timedelta(hours=1)
KEPT_FOR = timedelta(days=1)
LONGEST_SECONDS = 600


@transaction.atomic
def order_export(*, user_id: int, now: datetime, check: Callable[[], None] | None = None) -> Export:
    """The one that is being made, or was ordered within the hour; else a new one, and the job that makes it."""
    user = get_object_or_404(User.objects.select_for_update(no_key=True), pk=user_id)
    if check:
        check()
    known = Export.objects.filter(user=user, ordered_at__gt=now - FRESH).first()
    if known:
        return known
    ordered = Export.objects.create(user=user, ordered_at=now)
    make_export.enqueue(str(ordered.pk))
    return ordered


@task(seconds=LONGEST_SECONDS)
def make_export(export_id: str) -> int | None:
    """How many bytes it has. None where it is made already, or its person has gone."""
    ordered = Export.objects.filter(pk=export_id, made_at=None).select_related("user").first()
    if ordered is None:
        return None
    with SpooledTemporaryFile(IN_MEMORY) as file:
        now = timezone.now()
        write_export(ordered.user, file, now=now)
        file.seek(0)
        content = file.read()
    Export.objects.filter(pk=ordered.pk).update(content=content, made_at=now)
    return len(content)


def old_exports(now: datetime) -> QuerySet[Export]:
    return Export.objects.filter(ordered_at__lte=now - KEPT_FOR)


def still_kept(now: datetime) -> QuerySet[Export]:
    return Export.objects.filter(ordered_at__gt=now - KEPT_FOR)
