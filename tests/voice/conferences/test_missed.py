"""Who was not on a call is told that they missed it: once, after it has ended, by push alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.jobs.models import Job
from groups.models import Group, Membership, Ownership, SandboxNotification
from groups.notifications.models import Notice, SandboxEmail
from groups.notifications.notices.words import lasting
from tests.conftest import person
from tests.neighbours import ours
from users.notification_choices import choose
from voice.conferences.doubts import close_conference
from voice.conferences.missed import tell_missed
from voice.models import Call, Conference


@pytest.fixture
def otto(group):
    otto = person("Otto")
    Membership.objects.create(group=group, user=otto)
    return otto


@pytest.fixture
def phones(api, alice, bob, carol, dave, otto):
    for user in (alice, bob, carol, dave, otto):
        api.post("/api/voice/registerBinding", {"identity": f"u_{user.pk}", "address": f"of {user.pk}"})


@pytest.fixture
def call(tell, leg, run_jobs):
    """These people talk, and hang up."""

    def call(*people, sid="CF1", minutes=25, survives=True):
        legs = [leg(user, f"{sid}{user.pk}") for user in people]
        for number, each in enumerate(legs, 1):
            tell(number, "participant-join", each, conference=sid)
        run_jobs()
        Conference.objects.filter(pk=sid).update(created_at=timezone.now() - timedelta(minutes=minutes))
        tell(98, "conference-end", conference=sid)
        if survives:
            run_jobs()

    return call


def missed():
    told = SandboxNotification.objects.filter(body__startswith="You missed").order_by("pk")
    return [(each.body, each.identities) for each in told]


def test_who_was_not_on_it_is_told_how_long_it_was_and_who_was_there(call, phones, alice, otto, bob):
    call(alice, otto)
    assert missed() == [
        ("You missed a call in Family, which lasted 25 minutes. Alice and Otto were there.", [f"u_{bob.pk}"])
    ]
    assert not ours(SandboxEmail).exists()


def test_those_who_were_there_are_named_as_they_came(tell, leg, phones, alice, otto, run_jobs):
    first, second = leg(alice, "CA1"), leg(otto, "CA2")
    for number, sid in enumerate((second, first), 1):
        tell(number, "participant-join", sid)
    run_jobs()
    tell(3, "conference-end")
    run_jobs()
    assert missed()[0][0].endswith("Otto and Alice were there.")


def test_nobody_is_told_while_it_goes_on(tell, leg, phones, alice, run_jobs):
    tell(1, "participant-join", leg(alice, "CA1"))
    run_jobs()
    assert missed() == []


def test_each_is_told_once_however_often_it_ends(call, tell, phones, alice, otto, run_jobs):
    call(alice, otto)
    tell(99, "conference-end")
    tell_missed.enqueue("CF1")
    tell_missed.enqueue("CF1")
    run_jobs()
    assert len(missed()) == 1


def test_an_end_that_was_found_out_by_asking_tells_too(tell, leg, phones, alice, run_jobs, group):
    tell(1, "participant-join", leg(alice, "CA1"))
    run_jobs()
    close_conference(ours(Conference).get(), at=timezone.now(), now=timezone.now())
    run_jobs()
    assert len(missed()) == 2


def test_whoever_called_in_after_it_broke_off_has_missed_nothing(call, phones, alice, otto, bob, run_jobs):
    call(alice, otto, survives=False)
    call(alice, bob, sid="CF2", minutes=1)
    assert missed() == []


def test_two_that_end_within_a_minute_are_one(call, phones, alice, otto):
    call(alice, otto)
    call(alice, otto, sid="CF2", minutes=0)
    assert len(missed()) == 1


def test_of_the_next_call_they_are_told_again(call, phones, alice, otto, bob):
    call(alice, otto)
    ours(Notice).update(created_at=timezone.now() - timedelta(minutes=2))
    call(alice, otto, sid="CF2", minutes=1)
    assert [identities for _, identities in missed()] == [[f"u_{bob.pk}"]] * 2


@pytest.mark.parametrize(("seconds", "told"), [(59, False), (61, True)])
def test_whoever_called_in_less_than_a_minute_before_has_missed_nothing(call, phones, alice, bob, otto, seconds, told):
    """It broke off, and began anew."""
    call(bob, otto, sid="CF0", survives=False)
    call(alice, otto, survives=False)
    began = Conference.objects.get(pk="CF1").created_at
    Call.objects.filter(user_id=bob.pk).update(created_at=began - timedelta(seconds=seconds))
    tell_missed.call("CF1")
    assert Notice.objects.filter(user=bob, about="CF1").exists() is told


def test_whoever_was_let_in_long_before_it_began_has_missed_nothing(call, phones, alice, bob, otto, run_jobs):
    call(alice, bob, otto, survives=False)
    Call.objects.filter(user_id=bob.pk).update(created_at=timezone.now() - timedelta(hours=1))
    run_jobs()
    assert missed() == []


def test_an_owner_who_is_no_member_is_told(call, phones, group, alice, bob, otto, dave):
    Ownership.objects.create(group=group, user=dave)
    call(alice, bob, otto)
    assert [identities for _, identities in missed()] == [[f"u_{dave.pk}"]]


@pytest.mark.parametrize("lately", ["invited to this one", "missed one in another"])
def test_what_else_they_were_told_a_moment_ago_is_no_reason(call, phones, group, alice, bob, otto, lately):
    kinds = {"invited to this one": (Notice.Kind.INVITED, group), "missed one in another": (Notice.Kind.MISSED, None)}
    kind, about = kinds[lately]
    other = about or Group.objects.create(name="Choir")
    Notice.objects.create(user=bob, group=other, kind=kind, about="7", way=Notice.Way.PUSH, facts={})
    call(alice, otto)
    assert [identities for _, identities in missed()] == [[f"u_{bob.pk}"]]


def test_who_was_there_are_those_of_this_call_alone(call, phones, twilio, leg, tell, alice, bob, otto, run_jobs):
    """Nobody of the one before or after it, nor who was let in and never came."""
    call(bob, sid="CF0")
    Call.objects.filter(user_id=bob.pk).update(start_time=timezone.now() - timedelta(days=1))
    SandboxNotification.objects.all().delete()
    ours(Notice).all().delete()
    twilio("/api/voice/callEvents", CallSid=leg(bob, "CA7"), CallStatus="canceled")
    call(alice, survives=False)
    tell(1, "participant-join", leg(bob, "CA8"), conference="CF2")
    run_jobs()
    assert missed() == [
        ("You missed a call in Family, which lasted 25 minutes. Alice was there.", [f"u_{otto.pk}"]),
    ]


def test_who_talked_in_another_group_meanwhile_has_missed_it_and_was_not_there(
    call, phones, twilio, tell, alice, bob, otto, run_jobs
):
    choir = Group.objects.create(name="Choir")
    Membership.objects.create(group=choir, user=bob)
    twilio("/api/voice/makeCall", to=choir.pk, From=f"client:u_{bob.pk}", CallSid="CA9")
    tell(1, "participant-join", "CA9", FriendlyName=choir.pk, conference="CF9")
    call(alice, otto)
    assert missed() == [
        ("You missed a call in Family, which lasted 25 minutes. Alice and Otto were there.", [f"u_{bob.pk}"])
    ]


@pytest.mark.parametrize(("minutes", "told"), [(11 * 60 + 59, True), (12 * 60 + 1, False)])
def test_what_is_heard_of_half_a_day_late_nobody_has_missed(call, phones, alice, otto, run_jobs, minutes, told):
    call(alice, otto, survives=False)
    ours(Conference).update(ended_at=timezone.now() - timedelta(minutes=minutes))
    run_jobs()
    assert bool(missed()) is told


def test_whoever_left_or_wants_no_pushes_is_not_told(api, call, phones, group, alice, bob, otto, run_jobs):
    call(alice, survives=False)
    api.delete(f"/api/groups/{group.pk}/groupMembers/{bob.pk}")
    choose(user_id=otto.pk, push=False)
    run_jobs()
    assert missed() == []
    Job.objects.update(due_at=timezone.now())
    run_jobs()
    assert missed() == []


def test_whoever_leaves_once_it_is_stored_is_not_told(api, call, phones, group, alice, bob, otto, run_jobs):
    call(alice, otto, survives=False)
    tell_missed.call("CF1")
    assert Notice.objects.filter(user=bob).exists()
    api.delete(f"/api/groups/{group.pk}/groupMembers/{bob.pk}")
    run_jobs()
    assert missed() == []
    assert ours(Notice).get().why == "It is so no longer."


def test_a_group_that_is_deleted_tells_nobody(api, call, phones, group, alice, run_jobs):
    call(alice, survives=False)
    api.delete(f"/api/groups/{group.pk}")
    run_jobs()
    assert missed() == []


def test_who_was_there_and_is_gone_is_counted_and_not_named(api, call, phones, alice, otto, run_jobs):
    call(alice, otto, survives=False)
    tell_missed.call("CF1")
    otto.delete()
    run_jobs()
    assert [body for body, _ in missed()] == [
        "You missed a call in Family, which lasted 25 minutes. Alice and one more were there."
    ]


def test_a_caller_whom_nobody_knows_is_counted(tell, phones, twilio, group, run_jobs):
    twilio("/api/voice/makeCall", to=group.pk, From="+12025550199", CallSid="CA9")
    tell(1, "participant-join", "CA9")
    run_jobs()
    tell(2, "conference-end")
    run_jobs()
    assert {body for body, _ in missed()} == {
        "You missed a call in Family, which lasted less than a minute. One person was there."
    }


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (29, "less than a minute"),
        (31, "one minute"),
        (60, "one minute"),
        (119, "2 minutes"),
        (1500, "25 minutes"),
        (5340, "89 minutes"),
        (5400, "about 2 hours"),
        (4 * 3600, "about 4 hours"),
    ],
)
def test_how_long_it_lasted_is_told_in_words(seconds, words):
    assert lasting(seconds) == words


def test_where_calls_are_real_it_is_told_a_minute_later(call, phones, alice, twilio_telephony, twilio_double):
    call(alice)
    job = Job.objects.get(task__endswith="tell_missed")
    assert timedelta(seconds=50) < job.due_at - job.enqueued_at <= timedelta(minutes=1)
