"""A group of many devices is told by many jobs, each device once; and what could not be told is known."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.jobs.models import Job
from groups.models import Device, Membership, Push
from groups.notifications.pushes import BATCH
from tests.doubles.fcm import error
from tests.doubles.server import Answer
from tests.neighbours import ours
from tests.voice.conftest import MINUTES_LATER
from voice.conferences.announcing import announce
from voice.models import Conference

LATER = Answer(429, {"error": {}}, {"Retry-After": "120"})


@pytest.fixture
def phones(fcm_channel, group):
    """So many phones that listen to the group."""

    def phones(number):
        devices = Device.objects.bulk_create(
            Device(identity=f"n{n}", address=f"device-{n}", binding_type="fcm", endpoint="e", sid=f"BS{n}")
            for n in range(number)
        )
        group.devices.set(devices)
        fcm_channel.prepare(timeout=5)

    return phones


@pytest.fixture
def begin(tell, leg, alice):
    """A conference begins; nobody has done what follows."""
    return lambda: tell(1, "participant-join", leg(alice, "CA1"))


@pytest.fixture
def end(tell):
    return lambda: tell(9, "conference-end")


@pytest.fixture
def again(run_jobs):
    """A worker does what waits, whenever it is due."""

    def again():
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        return run_jobs()

    return again


def told(double):
    """Each device, as often as it was told."""
    return sorted(int(token.removeprefix("device-")) for token, _ in double.told)


def counted():
    return ours(Push).values_list("devices", "told", "gone", "spared", "missed").get()


def test_each_of_a_thousand_is_told_once_and_no_answer_waits_for_it(phones, begin, run_jobs, fcm_double):
    phones(1000)
    begin()
    assert (told(fcm_double), Job.objects.filter(task__endswith="announce").count()) == ([], 1)
    assert run_jobs() == ["announce", *["tell_batch"] * (1000 // BATCH), "conclude"]
    assert told(fcm_double) == list(range(1000))
    assert (counted(), ours(Conference).get().announcement) == ((1000, 1000, 0, 0, 0), "told")


def test_their_jobs_are_stored_by_a_few_statements(phones, begin, django_assert_max_num_queries):
    phones(3000)
    begin()
    with django_assert_max_num_queries(15):
        announce.call("CF1")
    assert Job.objects.filter(task__endswith="tell_batch").count() == 3000 // BATCH


def test_only_whom_the_vendor_could_not_take_is_tried_again(phones, begin, run_jobs, again, fcm_double):
    phones(5)
    begin()
    fcm_double.fail_next(LATER, error(503, "UNAVAILABLE"))
    run_jobs()
    assert (len(told(fcm_double)), ours(Conference).get().announcement) == (3, "due")
    again()
    assert (told(fcm_double), counted()) == ([0, 1, 2, 3, 4], (5, 5, 0, 0, 0))
    assert ours(Conference).get().announcement == "told"


def test_it_is_tried_again_when_the_vendor_wants_it(phones, begin, run_jobs, fcm_double):
    phones(2)
    begin()
    fcm_double.fail_next(LATER, error(503, "UNAVAILABLE"))
    before = timezone.now()
    run_jobs()
    waiting = Job.objects.filter(state="waiting").exclude(task=MINUTES_LATER)
    soon, late = waiting.order_by("due_at").values_list("due_at", flat=True)
    assert soon < before + timedelta(seconds=60)
    assert late >= before + timedelta(seconds=119)


def test_whom_the_vendor_wants_after_nobody_cares_any_more_was_missed(phones, begin, run_jobs, fcm_double, caplog):
    phones(2)
    begin()
    fcm_double.fail_next(Answer(429, {"error": {}}, {"Retry-After": "3600"}))
    run_jobs()
    assert (counted(), ours(Conference).get().announcement) == ((2, 1, 0, 0, 1), "told")
    assert "Of call:CF1, 1 of 2 devices could not be told" in caplog.text


@pytest.mark.parametrize("over", ["ended", "late"])
def test_once_it_is_over_nobody_is_told(phones, begin, end, run_jobs, again, fcm_double, caplog, over):
    phones(3)
    begin()
    fcm_double.fail_next(*[error(503, "UNAVAILABLE")] * 3)
    run_jobs()
    if over == "ended":
        end()
    else:
        ours(Push).update(until_at=timezone.now())
    again()
    assert (told(fcm_double), counted(), ours(Conference).get().announcement) == ([], (3, 0, 0, 0, 3), "lost")
    assert "Of call:CF1, 3 of 3 devices could not be told" in caplog.text
    assert "Nobody could be told that conference CF1 had begun" in caplog.text


def test_who_is_no_more_is_forgotten_and_counted(phones, begin, run_jobs, fcm_double):
    phones(3)
    fcm_double.gone.add("device-1")
    begin()
    run_jobs()
    assert (told(fcm_double), counted(), ours(Device).count()) == ([0, 2], (3, 2, 1, 0, 0), 2)


def test_who_leaves_joins_or_hands_the_phone_on_in_between_is_not_told(
    phones, begin, leg, tell, run_jobs, again, fcm_double, group, bob, carol, dave
):
    """Of Carol's, Bob's and Dave's phones none is told in the end: she left, he is on the call, and his is hers."""
    phones(0)
    for n, user in enumerate((bob, carol, dave)):
        Membership.objects.get_or_create(group=group, user=user)
        Device.objects.create(
            user=user, identity=f"u_{user.pk}", address=f"device-{n}", binding_type="fcm", sid=f"B{n}"
        )
    begin()
    fcm_double.fail_next(*[error(503, "UNAVAILABLE")] * 3)
    run_jobs()
    tell(2, "participant-join", leg(bob, "CA2"))
    Membership.objects.filter(group=group, user=carol).delete()
    Device.objects.filter(user=dave).update(user=None)
    again()
    assert (told(fcm_double), counted()) == ([], (3, 0, 0, 3, 0))


def test_a_phone_of_a_kind_that_nobody_serves_any_more_was_missed(phones, begin, run_jobs, group):
    phones(0)
    group.devices.add(Device.objects.create(identity="n", address="a", binding_type="apn", endpoint="e", sid="BS"))
    begin()
    run_jobs()
    assert counted() == (1, 0, 0, 0, 1)
