"""What becomes of a ring where something fails: nobody is rung twice, and no money stays held."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from billing.ledger import account_of
from core.jobs.models import Job
from core.jobs.worker import do_all
from groups.models import Group, Membership, Ring
from tests.conftest import person
from tests.doubles.server import Fault
from tests.doubles.twilio import error
from tests.neighbours import ours
from tests.voice.ringing.conftest import BOBS
from users.limits import Full, Place, keyed, take_place
from users.sign_in.local_issuer import local_token
from voice.conferences.reconciliation import reconcile_calls
from voice.credit.call_credit import held_by_calls
from voice.models import Call, GroupCall
from voice.ringing.legs import dial, see_to_old_rings


def later(**passed):
    """So much time has passed since all rings."""
    ago = timezone.now() - timedelta(**passed)
    ours(Call).update(created_at=ago, heard_at=ago)
    ours(Ring).update(created_at=ago)
    Job.objects.filter(state="waiting").update(due_at=timezone.now())


def test_what_twilio_refuses_to_ring_lasted_no_time(rings, verify, bob, twilio_double):
    verify(bob)
    twilio_double.fail_next(error(400, 21211, "Invalid 'To' Phone Number"))
    rings(bob)
    assert (ours(Call).get().status, ours(Call).get().duration) == ("failed", 0)


def test_a_leg_whose_job_is_done_twice_rings_once(rings, verify, bob, twilio_double):
    verify(bob)
    rings(bob)
    dial.call(ours(Call).get().pk)
    assert len(twilio_double.rings) == 1


def test_nor_is_it_ended_by_that_when_it_has_rung_for_a_while(rings, verify, bob, state):
    verify(bob)
    rings(bob)
    later(seconds=50)
    dial.call(ours(Call).get().pk)
    assert (ours(Call).get().end_time, state(bob)) == (None, "ringing")


def test_who_is_put_out_of_the_group_before_it_rings_is_not_rung(rings, verify, bob, twilio_double):
    verify(bob)
    rings(bob, jobs=False)
    Membership.objects.get(user=bob).delete()
    do_all()
    assert not twilio_double.rings


@pytest.mark.parametrize("came_to", ["joined", "declined"])
def test_what_has_come_to_something_before_it_rings_does_not_ring(rings, verify, bob, twilio_double, came_to):
    verify(bob)
    rings(bob, jobs=False)
    ours(Ring).update(state=came_to)
    do_all()
    assert not twilio_double.rings
    assert ours(Call).get().end_time


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.SERVER_ERROR])
def test_where_twilio_does_not_answer_it_is_not_asked_again(rings, verify, bob, twilio_double, fault, state):
    verify(bob)
    twilio_double.fail_next(fault)
    rings(bob)
    do_all()
    assert len(twilio_double.sent("POST", ".*/Calls.json")) == 1
    assert state(bob) == "ringing"


def test_a_leg_whose_answer_was_lost_is_named_by_what_twilio_tells(rings, ringing, verify, bob, twilio_double, state):
    verify(bob)
    twilio_double.fail_next(Fault.LOSE_ANSWER)
    rings(bob)
    assert not ours(Call).get().is_named
    phone = ringing()[BOBS].answer().press("1")
    assert phone.conference is not None
    assert (ours(Call).get().sid, state(bob)) == (phone.made["sid"], "joined")


@pytest.mark.alone
@pytest.mark.parametrize("name", ["not a name", "ring_1", "CA_of_another"])
def test_a_leg_is_not_named_by_what_cannot_be_a_name(rings, ringing, verify, bob, twilio_double, name):
    verify(bob)
    twilio_double.fail_next(Fault.LOSE_ANSWER)
    rings(bob)
    phone = ringing()[BOBS]
    phone.params["CallSid"] = name
    sid = ours(Call).get().sid
    Call.objects.create(sid="CA_of_another")
    assert phone.answer().is_over
    assert Call.objects.exclude(sid="CA_of_another").get().sid == sid


@pytest.mark.alone
def test_a_leg_is_not_named_by_the_name_of_another(rings, ringing, verify, bob, twilio_double):
    verify(bob)
    twilio_double.fail_next(Fault.LOSE_ANSWER)
    rings(bob)
    phone, sid = ringing()[BOBS], ours(Call).get().sid
    phone.params["CallSid"] = f"CA{7:032x}"
    Call.objects.create(sid=f"CA{7:032x}")
    assert phone.answer().heard == ["This call is over. Goodbye."]
    assert Call.objects.exclude(sid=f"CA{7:032x}").get().sid == sid


def test_a_phone_that_asks_where_another_was_told_to_is_not_answered(rings, ringing, verify, app, bob):
    verify(bob)
    app(bob)
    rings(bob)
    phone, another = ringing().values()
    assert phone.dial(another.made["Url"]).heard == ["This call is over. Goodbye."]


def asked_after(seconds):
    """How many legs the command of each minute asks Twilio about, so much later."""
    return reconcile_calls(now=timezone.now() + timedelta(seconds=seconds)).calls


@pytest.mark.parametrize("when", ["it has begun to ring", "it was named"])
def test_within_two_minutes_of_what_was_last_known_of_a_leg_nobody_asks_about_it(
    rings, ringing, verify, bob, twilio_double, when
):
    verify(bob)
    twilio_double.fail_next(Fault.LOSE_ANSWER)
    rings(bob, jobs=False)
    ours(Call).update(heard_at=timezone.now() - timedelta(seconds=30))
    do_all()
    if when == "it was named":
        ours(Call).update(heard_at=timezone.now() - timedelta(seconds=30))
        ringing()[BOBS].answer()
    assert asked_after(110) == 0
    assert asked_after(130) == 1


def test_a_leg_that_has_a_name_gets_no_other(rings, ringing, verify, bob):
    verify(bob)
    rings(bob)
    phone, sid = ringing()[BOBS], ours(Call).get().sid
    phone.params["CallSid"] = "CA" + 32 * "0"
    assert phone.answer().is_over
    assert ours(Call).get().sid == sid


def test_a_worker_that_is_killed_when_it_has_claimed_a_leg_rings_nobody_twice(rings, verify, bob, twilio_double, state):
    verify(bob)
    rings(bob, jobs=False)
    ours(Call).update(status="initiated")
    do_all()
    assert not twilio_double.rings
    later(seconds=61)
    do_all()
    assert (state(bob), twilio_double.rings) == ("noAnswer", [])


def test_a_leg_of_which_twilio_never_tells_holds_no_money(rings, verify, bob, alice, twilio_double, state):
    verify(bob)
    twilio_double.fail_next(Fault.SERVER_ERROR)
    rings(bob)
    assert held_by_calls(account_of(alice)) > 0
    later(seconds=61)
    do_all()
    assert (state(bob), held_by_calls(account_of(alice))) == ("noAnswer", 0)


@pytest.mark.parametrize(("seconds", "goes_on"), [(110, True), (121, False)])
def test_who_picks_up_at_the_last_moment_hears_everything_twice(rings, ringing, verify, bob, seconds, goes_on):
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS]
    phone.answer()
    phone.double.calls[phone.made["sid"]]["status"] = "in-progress"
    later(seconds=seconds)
    do_all()
    assert (phone.double.calls[phone.made["sid"]]["status"] == "in-progress") == goes_on


def test_how_long_a_leg_lasted_counts_though_twilio_did_not_know_it_before(rings, ringing, verify, bob, twilio_double):
    """The end was assumed: what Twilio tells then is better known."""
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS]
    known = twilio_double.calls[phone.made["sid"]]
    twilio_double.forget(phone.made["sid"])
    later(seconds=61)
    do_all()
    assert ours(Call).get().duration == 0
    twilio_double.calls[phone.made["sid"]] = known
    phone.ends("completed", 61)
    assert ours(Call).get().duration == 61


@pytest.mark.parametrize(("status", "expected"), [("no-answer", "noAnswer"), ("busy", "declined")])
def test_a_lost_event_is_asked_for(rings, verify, bob, twilio_double, state, status, expected):
    verify(bob)
    rings(bob)
    (made,) = twilio_double.rings
    twilio_double.calls[made["sid"]].update(status=status, start_time=None, end_time=None)
    later(seconds=61)
    do_all()
    assert state(bob) == expected


def test_where_the_jobs_are_lost_too_the_command_of_each_minute_sees_to_it(rings, verify, bob, twilio_double, state):
    verify(bob)
    rings(bob)
    (made,) = twilio_double.rings
    twilio_double.forget(made["sid"])
    Job.objects.all().delete()
    later(minutes=3)
    call_command("reconcile_calls", stdout=StringIO())
    assert state(bob) == "noAnswer"
    assert ours(Call).get().end_time


def test_it_leaves_be_what_has_just_begun_to_ring(rings, verify, bob, twilio_double, state):
    verify(bob)
    rings(bob, jobs=False)
    call_command("reconcile_calls", stdout=StringIO())
    assert (state(bob), ours(Call).get().end_time) == ("ringing", None)
    do_all()
    assert len(twilio_double.rings) == 1


def test_where_twilio_does_not_answer_it_three_times_in_a_row_it_asks_about_no_other_ring(
    rings, verify, group, twilio_double
):
    people = [person(f"Person {number}") for number in range(5)]
    for number, each in enumerate(people):
        Membership.objects.create(group=group, user=each)
        verify(each, f"+1202555013{number}")
    rings(*people)
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 5)
    asked = len(twilio_double.requests)
    assert see_to_old_rings(now=timezone.now() + timedelta(minutes=3)) == 3
    assert len(twilio_double.requests) - asked == 3


def test_so_it_is_for_a_phone_whose_ring_has_come_to_something(rings, verify, bob, twilio_double):
    verify(bob)
    rings(bob)
    twilio_double.forget(twilio_double.rings[0]["sid"])
    ours(Ring).update(state="declined")
    Job.objects.all().delete()
    later(minutes=3)
    call_command("reconcile_calls", stdout=StringIO())
    assert ours(Call).get().end_time


def test_and_for_a_ring_whose_phones_have_ended(rings, verify, bob, state):
    verify(bob)
    rings(bob)
    ours(Call).update(end_time=timezone.now(), status="no-answer")
    Job.objects.all().delete()
    later(minutes=3)
    call_command("reconcile_calls", stdout=StringIO())
    assert state(bob) == "noAnswer"


def test_as_long_as_it_may_ring_twilio_is_asked_again(rings, verify, bob, twilio_double, state):
    verify(bob)
    rings(bob)
    call = twilio_double.calls[twilio_double.rings[0]["sid"]]
    call["status"] = "ringing"
    later(seconds=61)
    do_all()
    assert (state(bob), call["status"], ours(Call).get().end_time) == ("ringing", "ringing", None)
    call.update(status="no-answer", start_time=None, end_time=None)
    later(seconds=91)
    do_all()
    assert state(bob) == "noAnswer"


def test_a_phone_that_rings_for_two_minutes_is_hung_up_on(rings, verify, alice, bob, line, twilio_double):
    line.join(alice)
    verify(bob)
    rings(bob)
    call = twilio_double.calls[twilio_double.rings[0]["sid"]]
    call["status"] = "in-progress"
    later(minutes=2, seconds=1)
    do_all()
    assert (call["status"], line.ended()) == ("completed", [])


def test_what_has_rung_for_so_long_is_left_to_the_command_of_each_minute(rings, verify, bob, twilio_double):
    verify(bob)
    rings(bob)
    twilio_double.calls[twilio_double.rings[0]["sid"]]["status"] = "in-progress"
    later(minutes=2, seconds=1)
    do_all()
    assert not Job.objects.filter(task__endswith="look_at_ring", state="waiting").exists()


def test_who_was_let_in_is_not(rings, ringing, verify, bob, twilio_double, state):
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS].answer().press("1")
    twilio_double.calls[phone.made["sid"]]["status"] = "in-progress"
    later(minutes=3)
    do_all()
    assert (state(bob), twilio_double.calls[phone.made["sid"]]["status"]) == ("joined", "in-progress")


def test_a_look_at_one_ring_leaves_anothers_be(rings, verify, bob, alice, twilio_double, state):
    verify(bob)
    rings(bob)
    twilio_double.forget(twilio_double.rings[0]["sid"])
    later(seconds=61)
    verify(alice, "+12025550111")
    rings(alice, jobs=False)
    Call.objects.filter(user_id=alice.pk).update(status="initiated")  # and its name is not known yet
    do_all()
    assert Call.objects.get(user_id=alice.pk).end_time is None
    assert state(alice) == "ringing"
    assert Job.objects.filter(task__endswith="look_at_ring", state="waiting").count() == 1  # at hers


def test_who_has_pressed_nothing_in_time_joins_by_no_late_key(rings, ringing, verify, app, bob, state):
    verify(bob)
    app(bob)
    rings(bob)
    phone = ringing()[BOBS].answer()
    address = phone.gather.get("action")
    phone.wait()
    phone.is_over = False
    assert phone.ask(address, Digits="1").heard == ["This call is over. Goodbye."]
    assert state(bob) == "ringing"


def test_in_the_sandbox_a_ring_ends_by_itself(api, sandbox_telephony, group, bob, verify, state):
    verify(bob)
    assert api.post(f"/api/groups/{group.pk}/ring", {"userIds": [bob.pk]}, format="json").status_code == 202
    do_all()
    assert ours(Call).get().sid.startswith("CA")
    later(seconds=61)
    do_all()
    assert state(bob) == "noAnswer"


def test_whoever_presses_1_when_it_is_over_is_told_so(rings, ringing, verify, bob):
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS].answer()
    later(minutes=3)
    do_all()
    ours(Ring).update(state="noAnswer")
    assert phone.press("1").heard == ["This call is over. Goodbye."]


def test_a_call_of_a_deleted_group_rings_nobody(rings, ringing, verify, bob, group, twilio_double):
    verify(bob)
    rings(bob)
    Group.objects.get(pk=group.pk).delete()
    do_all()
    phone = ringing()[BOBS]
    assert twilio_double.calls[phone.made["sid"]]["status"] == "completed"
    assert not ours(Ring).exists()
    phone.ends("completed")


def test_who_is_put_out_of_the_group_is_rung_no_more(rings, verify, bob, twilio_double):
    verify(bob)
    rings(bob)
    Membership.objects.get(user=bob).delete()
    do_all()
    (made,) = twilio_double.rings
    assert twilio_double.calls[made["sid"]]["status"] == "completed"


def test_who_rang_may_go(rings, ringing, sign_in_as, verify, bob, dave, group, state):
    verify(bob)
    Membership.objects.create(group=group, user=dave)
    rings(bob, headers=sign_in_as(dave))
    assert ringing()[BOBS].answer().heard[0] == "Dave is calling in the group Family."
    dave.delete()
    assert state(bob) == "ringing"
    assert ours(Ring).get().by is None


def test_whom_all_others_are_rung_for_is_not_rung(rings, sign_in_as, verify, alice, bob):
    verify(bob)
    verify(alice, "+12025550111")
    assert [each["userId"] for each in rings(headers=sign_in_as(bob))["ringing"]] == [alice.pk]


def test_who_is_not_rung_for_the_payers_limit_takes_no_place_of_the_groups(rings, verify, alice, bob, group):
    verify(bob)
    verify(alice, "+12025550111")
    of_group, of_payer = keyed("group", str(group.pk)), keyed("account", str(account_of(alice).pk))
    for _ in range(119):
        take_place("ring_payer", of_payer, 120, 3600)
    answer = rings(alice, bob, jobs=False)
    assert (len(answer["ringing"]), answer["skipped"]) == (1, [{"userId": bob.pk, "why": "limit"}])
    assert isinstance(take_place("ring_group", of_group, 2, 3600), Place)
    assert isinstance(take_place("ring_group", of_group, 2, 3600), Full)


def test_oneself_alone_is_called_back(rings, ringing, sign_in_as, verify, bob):
    verify(bob)
    rings(bob, headers=sign_in_as(bob))
    assert ringing()[BOBS].answer().heard[0] == "This is your own call to the group Family."


def test_a_key_repeats_the_answer_and_rings_nobody_again(rings, verify, bob, twilio_double):
    verify(bob)
    first, second = (rings(bob, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first == second
    assert len(twilio_double.rings) == 1


def test_nobody_is_told_in_another_language_than_the_groups(rings, ringing, verify, bob, group):
    GroupCall.objects.create(group=group, language="de-DE")
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS].answer()
    assert phone.heard[:2] == ["Jemand ruft an, in der Gruppe Family.", "Drücken Sie die 1, um dazuzukommen."]
    assert phone.languages == {"de-DE"}


@pytest.fixture
def sign_in_as(sign_in):
    return lambda user: {"Authorization": f"Bearer {local_token(user.email)}"}
