"""The door by which anything is told to devices: once for each cause, and each person's phones together."""

import pytest
from django.utils import timezone

from groups.models import Device, Push, SandboxNotification
from groups.notifications.pushes import BATCH, in_batches, push
from tests.doubles import apns
from tests.neighbours import ours


@pytest.fixture
def phones(alice, bob):
    for user in (alice, bob):
        for n in range(2):
            address = f"device-{user.pk}-{n}"
            Device.objects.create(user=user, identity=f"u_{user.pk}", address=address, binding_type="apn", sid=address)


def of(*people):
    return Device.objects.of_people([person.pk for person in people])


def test_a_person_is_told_on_each_of_their_devices(phones, alice, apns_channel, apns_double, run_jobs):
    push(of(alice), cause="invitation:1", body="Bob invites you to Family.", group_id=4)
    assert run_jobs() == ["tell_batch"]
    assert {token for token, _ in apns_double.told} == {f"device-{alice.pk}-0", f"device-{alice.pk}-1"}
    assert {shown["aps"]["alert"]["body"] for _, shown in apns_double.told} == {"Bob invites you to Family."}


def test_what_is_about_no_group_opens_none(phones, alice, apns_channel, apns_double, run_jobs):
    push(of(alice), cause="money:1", body="Your money is low.")
    run_jobs()
    assert [sorted(shown) for _, shown in apns_double.told] == [["aps"], ["aps"]]


def test_the_same_cause_is_told_once(phones, alice, bob, run_jobs):
    first = push(of(alice), cause="invitation:1", body="Hello.")
    assert push(of(alice, bob), cause="invitation:1", body="Hello again.") == first
    assert run_jobs() == ["tell_batch"]
    assert [each.body for each in SandboxNotification.objects.all()] == ["Hello."]


def test_who_is_disabled_is_not_told(phones, alice):
    alice.is_active = False
    alice.save()
    assert push(of(alice), cause="a:1", body="Hello.").devices == 0


def test_where_nobody_is_to_be_told_it_is_over_at_once(alice, run_jobs):
    told = push(of(alice), cause="a:1", body="Hello.")
    assert (told.devices, told.ended_at is not None, run_jobs()) == (0, True, [])


def test_what_is_late_is_told_to_nobody(phones, alice, run_jobs, caplog):
    push(of(alice), cause="a:1", body="Hello.", until=timezone.now())
    run_jobs()
    assert (SandboxNotification.objects.count(), ours(Push).get().missed) == (0, 2)
    assert "Of a:1, 2 of 2 devices could not be told" in caplog.text


def test_long_words_are_cut(phones, alice, run_jobs):
    push(of(alice), cause="a:1", body="x" * 501)
    run_jobs()
    assert SandboxNotification.objects.get().body == "x" * 500


def test_one_persons_devices_are_in_one_batch(db):
    for n in range(2 * BATCH):
        Device.objects.create(identity=f"n{n // 3}", address=f"{n}", binding_type="apn", sid=f"{n}")
    batches = list(in_batches(ours(Device).all()))
    identities = [{Device.objects.get(pk=pk).identity for pk, _ in batch} for batch in batches]
    assert (len(batches), max(map(len, batches)) <= BATCH, sum(map(len, batches))) == (3, True, 2 * BATCH)
    assert sum(map(len, identities)) == len(set().union(*identities))


@pytest.mark.parametrize(("devices", "batches"), [(BATCH, [BATCH]), (BATCH + 1, [BATCH, 1])])
def test_a_batch_is_full_before_another_begins(db, devices, batches):
    for n in range(devices):
        Device.objects.create(identity=f"n{n:03}", address=f"{n}", binding_type="apn", sid=f"{n}")
    assert [len(batch) for batch in in_batches(ours(Device).all())] == batches


def test_no_line_of_the_log_says_what_was_told(phones, alice, apns_channel, apns_double, run_jobs, log):
    apns_double.fail_next(*[apns.refusal(400, "BadDeviceToken")] * 2)
    push(of(alice), cause="a:1", body="Bob invites you.")
    run_jobs()
    assert log.named("groups.notifications.pushes")
    assert [line for line in log.texts if "Bob" in line or "device-" in line] == []
