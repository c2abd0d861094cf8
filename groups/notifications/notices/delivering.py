"""Telling somebody something, by one way: a job for each."""

from django.utils import timezone
from django_tasks import task

from groups.notifications.models import Notice
from groups.notifications.notices.asking import why_not
from groups.notifications.notices.ways import by


@task(seconds=30)
def deliver(notice_id: int) -> None:
    """Called again, it tells nobody twice. After a worker that died between the vendor's answer and our own row an
    e-mail comes once more, under the same Message-ID."""
    for notice in Notice.objects.due().select_related("user", "group").filter(pk=notice_id):
        why = why_not(notice, now=timezone.now()) or by(notice)
        state = Notice.State.SPARED if why else Notice.State.TOLD
        Notice.objects.filter(pk=notice.pk).update(state=state, why=why, ended_at=timezone.now())
