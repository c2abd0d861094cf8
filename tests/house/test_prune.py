"""`manage.py prune` forgets what is kept for a time, and nothing else."""

from datetime import timedelta
from itertools import count

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from billing.models import CardRefusal, StripeEvent
from core.jobs.models import Job, WorkerSeen
from groups.models import Caption, Departure, InvitationLink, PartialCaption, Push, Ring
from groups.notifications.models import Notice, SandboxEmail, SandboxMessage
from tests.access.rows import all_rows, changed
from users.limits import take_place
from users.models import Export, KeptAnswer, LimitCount, PendingVerification, StreamTicket
from voice.conferences.events import rebuild
from voice.models import Conference, ConferenceEvent
from voicechat.management.commands import prune

NOW = timezone.now()
OLD, YOUNG = NOW - timedelta(days=91), NOW - timedelta(days=89)


@pytest.fixture
def kept(db, alice, bob, group):
    """Of each kind one whose time is over, and one whose is not."""
    for time, name, until in ((OLD, "old", NOW - timedelta(seconds=1)), (YOUNG, "young", NOW + timedelta(hours=1))):
        take_place("tries", name, 1, 60)
        LimitCount.objects.filter(who=name).update(until=until)
        KeptAnswer.objects.create(name=name, body=name, until=until)
        person = alice if name == "old" else bob
        PendingVerification.objects.create(user=person, number="+12025550123", channel="sms", expires_at=until)
        StreamTicket.objects.create(digest=name, until=until)
        Export.objects.create(user=person, ordered_at=until - timedelta(days=1))
        InvitationLink.objects.create(group=group, digest=name, nonce=name, max_uses=1, expires_at=until)
        CardRefusal.objects.create(who=name, why="", amount_cents=1, created_at=time)
        StripeEvent.objects.create(id=name, type="charge.refunded", payload={}, created_at=time)
        Session.objects.create(session_key=name, session_data="", expire_date=until)
        over = {"ended_at": time, "completed": name == "young"}
        conference = Conference.objects.create(sid=name, group_id=group.pk, **over)
        for number, kind in enumerate(("participant-join", "conference-end"), 1):
            ConferenceEvent.objects.create(conference=conference, sequence_number=number, kind=kind, payload={})
        for state, days in (("done", 1), ("dead", 90)):
            age = timedelta(days=days, hours=0 if name == "old" else -1)
            Job.objects.create(task=name, state=state, finished_at=NOW - age)
        Notice.objects.create(user=person, kind="added", about=name, way="push", created_at=time)
        SandboxEmail.objects.create(to="rose@example.com", subject=name, text="", html="", created_at=time)
        SandboxMessage.objects.create(to="+12025550123", body=name, created_at=time)
        Push.objects.create(cause=name, until_at=NOW, created_at=until - timedelta(days=7))
        WorkerSeen.objects.create(name=name, threads=1, seen_at=until - timedelta(days=1))
    for name, days in (("old", 31), ("young", 29)):
        Caption.objects.create(group=group, display_name=name, text=name, stored_at=NOW - timedelta(days=days))
    for name, hours in (("old", 25), ("young", 23)):
        PartialCaption.objects.create(pk=name, group=group, text=name, created_at=NOW - timedelta(hours=hours))
    Departure.objects.create(user=alice, group=group, left_at=NOW - timedelta(minutes=11))
    Departure.objects.create(user=bob, group=group, left_at=NOW + timedelta(minutes=1))
    Ring.objects.create(user=alice, group=group, changed_at=NOW - timedelta(days=1, minutes=1))
    Ring.objects.create(user=bob, group=group, changed_at=NOW)


def told(capsys):
    return {line[:36].strip(): line[36:].split() for line in capsys.readouterr().out.splitlines()[1:]}


def test_of_each_kind_what_is_over_goes_and_what_is_not_stays(kept, capsys):
    call_command("prune")
    assert told(capsys) == {title: ["2" if "conferences" in title else "1", "0"] for title in prune.KINDS}
    assert {row.pk for row in (*StripeEvent.objects.all(), *Session.objects.all())} == {"young"}
    assert {row.conference.sid for row in ConferenceEvent.objects.all()} == {"young"}
    assert (LimitCount.objects.get().who, CardRefusal.objects.get().who) == ("young", "young")
    assert {row.task for row in Job.objects.all()} | {WorkerSeen.objects.get().pk, Push.objects.get().cause} == {
        "young"
    }
    assert {InvitationLink.objects.get().digest, Notice.objects.get().about} == {"young"}
    assert {SandboxEmail.objects.get().subject, SandboxMessage.objects.get().body} == {"young"}
    assert {Caption.objects.get().text, PartialCaption.objects.get().text} == {"young"}
    assert {Departure.objects.get().user.display_name, Ring.objects.get().user.display_name} == {"Bob"}


def test_a_dry_run_forgets_nothing(kept, capsys):
    before = all_rows()
    call_command("prune", dry_run=True)
    assert changed(before, all_rows()) == []
    assert {left for forgotten, left in told(capsys).values()} == {"1", "0"}


@pytest.mark.parametrize("bound", ["AT_ONCE", "READ_AT_ONCE"])
def test_many_rows_go_in_parts(kept, monkeypatch, capsys, bound):
    monkeypatch.setattr(prune, bound, 1)
    call_command("prune")
    assert told(capsys)["events of ended conferences"] == ["2", "0"]


def test_what_counts_again_before_it_is_its_turn_stays(kept, monkeypatch):
    KeptAnswer.objects.bulk_create(KeptAnswer(name=f"old{n}", body="", until=OLD) for n in range(3))
    monkeypatch.setattr(prune, "AT_ONCE", 1)
    turns = count()

    def is_over():
        if next(turns) == len(prune.KINDS):  # one of each kind has gone
            KeptAnswer.objects.update(until=NOW + timedelta(hours=1))
        return False

    monkeypatch.setattr(prune, "is_over", is_over)
    call_command("prune")
    assert KeptAnswer.objects.count() == 4


@pytest.mark.parametrize(("days", "stay"), [(0, {"young"}), (60, {"old", "young"})])
def test_captions_stay_as_long_as_is_said_and_a_day_at_least(kept, settings, days, stay):
    settings.CAPTION_DAYS = days
    Caption.objects.filter(text="young").update(stored_at=NOW - timedelta(hours=23))
    call_command("prune")
    assert {caption.text for caption in Caption.objects.all()} == stay


def test_of_each_kind_a_part_goes_before_the_second_of_any(kept, monkeypatch, capsys):
    """However much there is of one kind, the others have their turn before the time of the run is over."""
    KeptAnswer.objects.bulk_create(KeptAnswer(name=f"old{n}", body="", until=OLD) for n in range(3))
    monkeypatch.setattr(prune, "AT_ONCE", 1)
    turns = iter(range(len(prune.KINDS)))
    monkeypatch.setattr(prune, "is_over", lambda: next(turns, None) is None)
    call_command("prune")
    assert {forgotten for forgotten, _ in told(capsys).values()} == {"1"}


def test_a_conference_whose_events_are_gone_is_still_over(kept):
    call_command("prune")
    conference = Conference.objects.get(sid="old")
    assert rebuild(conference, now=NOW).ended


def test_a_conference_that_runs_keeps_all_that_was_told_of_it(kept):
    Conference.objects.update(ended_at=None)
    call_command("prune")
    assert ConferenceEvent.objects.count() == 4
