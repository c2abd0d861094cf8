"""Between what stores that somebody is told and what tells them much may happen; and what could not be told now."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied

from core.jobs.models import Job
from groups.models import Device, Push, SandboxNotification
from groups.notifications.channels import Missed
from groups.notifications.devices import (
    CHECK_EVERY,
    MOST_DEVICES,
    claim_device,
    forget_binding,
    register_device,
    unregister_device,
)
from groups.notifications.models import Notice
from groups.notifications.notices import telling
from groups.notifications.notices.telling import tell
from groups.notifications.notices.words import words_of
from groups.notifications.pushes import KEPT_FOR, old_pushes, push, settle, tell_batch
from groups.notifications.sending import Outcome
from tests.conftest import forbid
from tests.doubles.server import Fault
from tests.neighbours import ours
from users.models import User, VendorDeletion


def phone(user, **fields):
    usual = {"identity": f"u_{user.pk}", "address": f"device-{user.pk}", "binding_type": "apn", "sid": f"BS{user.pk}"}
    return Device.objects.create(**{"user": user, **usual, **fields})


def of(*people):
    return Device.objects.of_people([person.pk for person in people])


# --- Pushes ----------------------------------------------------------------------------------------------------------


def test_a_phone_that_is_another_persons_by_then_is_not_told(alice, bob, dave, run_jobs):
    moved, _ = phone(alice), phone(bob)
    told = push(of(alice, bob), cause="a:1", body="Hello.")
    Device.objects.filter(pk=moved.pk).update(user=dave, identity=f"u_{dave.pk}")
    run_jobs()
    told.refresh_from_db()
    assert (told.told, told.spared) == (1, 1)
    assert SandboxNotification.objects.get().identities == [f"u_{bob.pk}"]


def test_where_nobody_can_be_told_nothing_waits_for_it(alice, settings, run_jobs):
    phone(alice)
    settings.NOTIFICATIONS = []
    assert push(of(alice), cause="a:1", body="Hello.").ended_at
    assert run_jobs() == []


def test_where_that_is_switched_off_meanwhile_they_are_missed_and_nothing_fails(alice, settings, run_jobs):
    phone(alice)
    told = push(of(alice), cause="a:1", body="Hello.")
    settings.NOTIFICATIONS = []
    assert run_jobs() == ["tell_batch"]
    told.refresh_from_db()
    assert (told.missed, told.ended_at is not None) == (1, True)


def test_a_vendor_that_wants_to_be_asked_in_a_thousand_years_is_not_asked_again(alice):
    told = push(of(alice), cause="a:1", body="Hello.")
    settle(told, 0, 0, Outcome(missed=[Missed(phone(alice), 1e12)]), 1)
    told.refresh_from_db()
    assert (told.missed, Job.objects.count()) == (1, 0)


def test_each_try_is_counted_by_which_its_pause_is_longer(alice, apns_channel, apns_double, run_jobs):
    phone(alice)
    apns_double.fail_next(*[Fault.SERVER_ERROR] * 9)
    push(of(alice), cause="a:1", body="Hello.")
    tries = []
    for _ in range(3):
        run_jobs()
        again = Job.objects.filter(state="waiting").get()
        tries.append(json.loads(again.arguments)[0][-1])
        Job.objects.filter(pk=again.pk).update(due_at=timezone.now())
    assert tries == [2, 3, 4]


def test_what_is_over_does_not_end_once_more(alice):
    phone(alice)
    told = push(of(alice), cause="notice:1", body="Hello.")
    [(pk, user_id)] = of(alice).values_list("pk", "user_id")
    tell_batch.call(told.pk, [(pk, user_id)], 1)
    ended = ours(Push).get().ended_at
    tell_batch.call(told.pk, [(pk, user_id)], 1)  # its worker had died before it could say so
    assert ours(Push).get().ended_at == ended
    assert Job.objects.filter(task__endswith="conclude").count() == 1


def test_what_was_told_within_the_week_is_kept(alice):
    now = timezone.now()
    for cause, age in (("a:1", KEPT_FOR - timedelta(minutes=1)), ("a:2", KEPT_FOR + timedelta(minutes=1))):
        told = push(of(alice), cause=cause, body="Hello.")
        Push.objects.filter(pk=told.pk).update(created_at=now - age)
    assert [each.cause for each in old_pushes(now)] == ["a:2"]


# --- Devices ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def register(alice):
    def register(number=1, **fields):
        usual = {"identity": f"u_{alice.pk}", "address": f"new-{number}", "binding_type": "apn", "endpoint": None}
        return register_device(**{**usual, "tags": [], "now": timezone.now(), **fields})

    return register


def test_what_is_refused_at_the_last_moment_is_bound_nowhere(register, twilio_notify, twilio_double):
    with pytest.raises(PermissionDenied):
        register(check=forbid)
    assert (twilio_double.bindings, ours(Device).exists()) == ([], False)


def test_of_too_many_those_go_that_nobody_has_registered_for_longest_and_their_bindings(register, alice):
    now = timezone.now()
    first = register(0)
    for number in range(1, MOST_DEVICES):
        register(number, now=now + timedelta(minutes=number))
    register(0, now=now + timedelta(hours=1))
    old = ours(Device).get(address="new-1")
    register(99, now=now + timedelta(hours=2))
    left = set(ours(Device).values_list("address", flat=True))
    assert (first.address in left, old.address in left, len(left)) == (True, False, MOST_DEVICES)
    assert VendorDeletion.objects.filter(name=f"apn:{old.sid}").exists()


def test_of_a_device_that_is_bound_nowhere_no_binding_is_deleted(alice):
    phone(alice, sid="")
    unregister_device(owner=alice, address=f"device-{alice.pk}", endpoint=None)
    assert (ours(Device).exists(), VendorDeletion.objects.exists()) == (False, False)


def test_whoever_may_not_any_more_forgets_none(alice):
    phone(alice)
    with pytest.raises(PermissionDenied):
        unregister_device(owner=alice, address=f"device-{alice.pk}", endpoint=None, check=forbid)
    assert ours(Device).exists()


def test_of_a_kind_that_it_never_had_twilio_is_asked_to_forget_nothing(db, twilio_notify, twilio_double):
    before = len(twilio_double.requests)
    forget_binding("webpush:BS1")
    assert twilio_double.requests[before:] == []
    forget_binding("apn:BS1")
    assert len(twilio_double.requests) == before + 1


def test_of_two_runs_one_asks_about_a_device(alice):
    device, now = phone(alice, checked_at=timezone.now() - 2 * CHECK_EVERY), timezone.now()
    assert [claim_device(device, now=now) for _ in range(2)] == [True, False]


# --- A message to a group --------------------------------------------------------------------------------------------


def test_those_that_could_not_be_told_at_once_are_told_by_a_job(api, group, alice, bob, apns_channel, apns_double):
    for user in (alice, bob):
        phone(user)
    apns_double.fail_next(Fault.SERVER_ERROR)
    assert api.post("/api/voice/sendNotification", {"groupId": group.pk}).status_code == 200
    assert ours(Push).get().devices == 1


def test_where_notifications_are_off_that_is_said_though_there_is_nobody_to_tell(api, group, settings):
    settings.NOTIFICATIONS = []
    assert api.post("/api/voice/sendNotification", {"groupId": group.pk}).status_code == 503


# --- Notices ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def deliveries():
    return lambda: Job.objects.filter(task__endswith="deliver").count()


def test_a_second_person_is_told_by_jobs_of_their_own_alone(alice, bob, deliveries):
    tell([alice.pk], Notice.Kind.ADDED, "1", cents=500)
    first = deliveries()
    tell([alice.pk, bob.pk], Notice.Kind.ADDED, "1", cents=500)
    assert deliveries() == 2 * first
    tell([alice.pk], Notice.Kind.ADDED, "2", cents=500)
    assert deliveries() == 3 * first
    Notice.objects.update(state="told")
    tell([alice.pk, bob.pk], Notice.Kind.ADDED, "1", cents=500)
    assert deliveries() == 3 * first


def test_a_way_that_is_switched_on_later_tells_by_that_way_alone(alice, settings, deliveries):
    on, settings.MAIL = settings.MAIL, None
    tell([alice.pk], Notice.Kind.ADDED, "1", cents=500)
    first = deliveries()
    Notice.objects.filter(user=alice).update(state="told")
    settings.MAIL = on
    tell([alice.pk], Notice.Kind.ADDED, "1", cents=500)
    assert (first, deliveries()) == (1, 2)


def test_of_many_all_are_told(alice, bob, carol, dave, monkeypatch):
    monkeypatch.setattr(telling, "AT_ONCE", 2)
    people = {user.pk for user in (alice, bob, carol, dave)}
    tell(people, Notice.Kind.ADDED, "1", cents=500)
    assert set(ours(Notice).values_list("user_id", flat=True)) == people


def test_a_notice_on_a_phone_opens_its_group_and_is_late_after_a_day(group, alice, run_jobs):
    phone(alice)
    tell([alice.pk], Notice.Kind.ADDED, "1", group_id=group.pk, cents=500)
    run_jobs()
    notice, told = ours(Notice).get(way="push"), ours(Push).get()
    assert (told.group_id, told.until_at - notice.created_at) == (group.pk, timedelta(days=1))


# --- Words -----------------------------------------------------------------------------------------------------------


def people(*names):
    return [User.objects.create(display_name=name, email=f"{n}@example.com").pk for n, name in enumerate(names)]


@pytest.fixture
def sentence(alice, group):
    def sentence(kind, **facts):
        return words_of(Notice(kind=kind, user=alice, group=group, facts=facts)).sentence

    return sentence


@pytest.mark.parametrize(
    ("names", "others", "words"),
    [
        (("Ann", "Ben", "Cem"), 0, "Ann, Ben and Cem were there."),
        (("Ann", "Ben", "Cem", "Dan"), 0, "Ann, Ben and 2 more were there."),
        (("Ann",), 1, "Ann and one more were there."),
        ((), 1, "One person was there."),
        ((), 5, "5 people were there."),
    ],
)
def test_who_was_there_is_said_by_name_and_the_others_counted(sentence, names, others, words):
    said = sentence(Notice.Kind.MISSED, seconds=600, there=people(*names), others=others)
    assert said.endswith(f"10 minutes. {words}")


@pytest.mark.parametrize(
    ("name", "shown"), [("Ann", "Ann"), ("www.example.com", "Somebody"), ("evil.c\u200bom", "Somebody")]
)
def test_a_name_that_would_be_a_link_is_nobodys(sentence, name, shown):
    [by] = people(name)
    assert sentence(Notice.Kind.INVITED, by=by) == f"{shown} invited you to talk in the group Family."


@pytest.mark.parametrize(("micros", "words"), [(9_999, "is used up."), (10_000, "You have $0.01 left")])
def test_less_than_a_cent_is_nothing(sentence, alice, micros, words):
    alice.account_balance_micros = micros
    assert words in sentence(Notice.Kind.LOW)
