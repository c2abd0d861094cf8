"""The menu behind *: what it says, and what its keys do."""

import pytest
from django.utils import timezone

from billing.ledger import post_entry
from billing.models import Account, LedgerEntry
from groups.models import Group, Membership
from tests.neighbours import ours
from tests.voice.dial_in.phone import Phone
from tests.voice.keypad.conftest import ALICES
from users.models import User, VerifiedNumber
from voice.credit.call_credit import held_by_calls
from voice.hang_ups import take_off_call
from voice.models import Call, GroupCall

MENU = [
    "Press 1, and nobody hears you.",
    "Press 2 to hear who is on the call.",
    "Press 3 to hear no warnings before the end.",
    "Press 9 to leave the call.",
    "To go back, press star, or wait.",
]
BACK = "You are going back."


@pytest.fixture
def muted(api, group):
    return lambda: [
        each["displayName"] for each in api.get(f"/api/groups/{group.pk}/call").json()["participants"] if each["muted"]
    ]


@pytest.fixture
def goes(room):
    """Presses * and then these keys, comes back, and says what was heard on the way."""

    def goes(phone, *keys):
        phone.star()
        room.leave(phone)
        for key in keys:
            phone.press(key)
        if phone.conference is not None:
            room.join(phone)
        return phone.heard

    return goes


def test_it_says_what_there_is(alices, bobs):
    assert bobs.star().heard == MENU
    assert bobs.gather.get("timeout") == "4"


@pytest.mark.parametrize("keys", ["*", "55*", "555"])
def test_star_or_three_wrong_keys_lead_back(alices, bobs, goes, group, keys):
    assert goes(bobs, *keys) == [BACK]
    assert bobs.group_id == group.pk


def test_wrong_keys_of_an_earlier_visit_are_forgotten(alices, bobs, goes):
    goes(bobs, "5", "5", "1")
    assert bobs.star().press("5").gather is not None


def test_no_key_leads_back(bobs):
    assert bobs.star().wait().heard == [BACK]


def test_a_wrong_key_is_said_to_be_one(bobs):
    assert bobs.star().press("7").heard == ["This key is not one of them.", *MENU]


def test_who_mutes_themself_comes_back_muted_and_is_seen_so(alices, bobs, goes, muted):
    assert goes(bobs, "1") == ["Nobody hears you now.", "To be heard again, press star, and then 1."]
    assert (bobs.conference.get("muted"), muted()) == ("true", ["Bob"])


def test_muted_they_stay_whatever_else_they_do_in_the_menu(alices, bobs, goes, muted):
    goes(bobs, "1"), goes(bobs, "2"), goes(bobs, "*")
    assert (bobs.conference.get("muted"), muted()) == ("true", ["Bob"])


def test_and_are_heard_again_by_the_same_key(alices, bobs, goes, muted):
    goes(bobs, "1")
    bobs.star()
    assert bobs.heard[0] == "Press 1 to be heard again."
    assert bobs.press("1").heard == ["You are heard again."]
    assert (bobs.conference.get("muted"), bobs.conference.get("participantLabel")[-2:]) == (None, "_3")


def test_muted_on_the_conference_before_is_not_muted_on_the_next_one(bobs, room, muted):
    for kind in ("participant-mute", "participant-hold", "participant-unhold", "participant-mute"):
        room.send(room.event(kind, bobs.sid))
    bobs.star()
    room.leave(bobs)
    bobs.press("1")
    room.join(bobs)
    assert (room.sid, muted()) == ("CF2", [])


def test_nor_what_was_found_out_there_by_asking(bobs, room, muted):
    ours(Call).update(muted_told=True, muted_after=90)
    bobs.star()
    room.leave(bobs)
    bobs.wait()
    room.join(bobs)
    assert (room.sid, muted()) == ("CF2", ["Bob"])
    room.send(room.event("participant-unmute", bobs.sid))
    assert muted() == []


def test_and_once_others_have_them_speak(alices, bobs, room, goes, muted):
    goes(bobs, "1")
    room.send(room.event("participant-unmute", bobs.sid))
    assert muted() == []


def test_a_key_that_twilio_sends_twice_is_pressed_once(bobs):
    address = bobs.star().gather.get("action")
    for _ in range(2):
        bobs.ask(address, Digits="1")
        assert (bobs.heard[0], bobs.conference.get("muted")) == ("Nobody hears you now.", "true")
        assert bobs.conference.get("participantLabel")[-2:] == "_2"


def test_so_is_the_one_for_warnings(bobs):
    address = bobs.star().gather.get("action")
    for _ in range(2):
        assert bobs.ask(address, Digits="3").heard == ["You will hear no warnings before the end."]


def test_the_menu_that_twilio_asks_for_twice_is_the_same(bobs):
    address = bobs.action
    for _ in range(2):
        assert bobs.ask(address).heard == MENU
    assert bobs.wait().conference.get("participantLabel")[-2:] == "_2"


def test_of_a_menu_that_is_asked_for_twice_the_first_time_counts_whatever_is_known_of_the_leg(bobs):
    """Where a stored entry was lost, the number in the address is the newer one."""
    address = bobs.star().wait().action
    ours(Call).update(entry=0)
    bobs.ask(address)
    first = ours(Call).get().menu_at
    bobs.ask(address)
    assert ours(Call).get().menu_at == first


def test_who_was_muted_by_others_comes_back_muted(alices, bobs, room, goes, muted):
    room.send(room.event("participant-mute", bobs.sid))
    bobs.star()
    assert bobs.heard[0] == "Press 1 to be heard again."
    room.leave(bobs)
    assert muted() == ["Bob"]
    assert bobs.wait().conference.get("muted") == "true"


def test_who_is_muted_while_in_the_menu_comes_back_muted(alices, bobs, room, api, group, bob, muted):
    bobs.star()
    room.leave(bobs)
    assert api.put(f"/api/groups/{group.pk}/callParticipants/{bob.pk}", {"muted": True}).status_code == 200
    assert muted() == ["Bob"]
    assert bobs.wait().conference.get("muted") == "true"


def test_others_are_named(alices, bobs, goes):
    assert goes(bobs, "2") == ["With you on the call:", "Alice."]


def test_who_is_not_known_is_counted(alices, bobs, goes, room):
    room.send(room.event("participant-join", "CA404"))
    assert goes(bobs, "2")[-1] == "One caller whom we do not know."
    room.send(room.event("participant-join", "CA405"))
    assert goes(bobs, "2") == ["With you on the call:", "Alice.", "2 callers whom we do not know."]


def test_whom_nobody_knows_hears_of_others_whom_nobody_knows(alices, twilio, room, goes, group):
    theirs = room.join(Phone(twilio, "+12025550177").dial(f"/api/voice/makeCall?to={group.pk}"))
    room.send(room.event("participant-join", "CA404"))
    assert goes(theirs, "2") == ["With you on the call:", "Alice.", "One caller whom we do not know."]


@pytest.fixture
def daves(numbers, phone, group, dave):
    """Dave's telephone, which has dialled in."""
    Membership.objects.create(group=group, user=dave)
    VerifiedNumber.objects.create(user=dave, number="+12025550144", verified_at=timezone.now())
    return phone("+12025550144")


def test_others_are_named_in_the_order_in_which_they_came(numbers, phone, daves, bobs, room, goes):
    alices = room.join(phone(ALICES))
    room.join(daves)
    for minutes, each in enumerate((alices, daves)):
        Call.objects.filter(sid=each.sid).update(start_time=timezone.now() - timezone.timedelta(minutes=minutes))
    assert goes(bobs, "2") == ["With you on the call:", "Dave.", "Alice."]


def test_a_name_is_spoken_without_what_nobody_can_see(alices, bobs, goes, alice):
    User.objects.filter(pk=alice.pk).update(display_name="Ali\u202ece")
    assert goes(bobs, "2")[-1] == "Alice."


def test_neither_ones_own_other_phone_nor_anothers_call_is_somebody_else_here(bobs, leg, room, goes, dave):
    room.send(room.event("participant-join", leg(User.objects.get(display_name="Bob"), "CA8")))
    Call.objects.create(sid="CA9", group_id=Group.objects.create(name="Choir").pk, user_id=dave.pk, is_on=True)
    assert goes(bobs, "2") == ["Nobody else is on the call."]


def test_who_has_left_is_not_named(alices, bobs, daves, room, goes):
    room.join(daves)
    room.leave(daves, "completed")
    assert goes(bobs, "2") == ["With you on the call:", "Alice."]


def test_what_one_settles_is_for_oneself_alone(alices, bobs, room, goes):
    goes(bobs, "3")
    assert not Call.objects.get(sid=alices.sid).wants_no_warnings
    room.send(room.event("participant-mute", alices.sid))
    assert bobs.star().heard[0] == "Press 1, and nobody hears you."


def test_one_key_is_enough(bobs):
    assert bobs.star().gather.get("numDigits") == "1"


def test_who_is_alone_hears_so(bobs, goes):
    assert goes(bobs, "2") == ["Nobody else is on the call."]


def test_warnings_are_switched_off_and_on_again(alices, bobs, goes):
    assert goes(bobs, "3") == ["You will hear no warnings before the end."]
    assert Call.objects.get(sid=bobs.sid).wants_no_warnings
    bobs.star()
    assert bobs.heard[2] == "Press 3 to be warned before the end."
    assert bobs.press("3").heard == ["You will be warned before the end."]
    assert not Call.objects.get(sid=bobs.sid).wants_no_warnings


def test_who_leaves_is_hung_up_on(alices, bobs, goes):
    assert goes(bobs, "9") == ["You have left the call. Goodbye."]
    assert bobs.is_over


def test_in_german(numbers, phone, room, group):
    GroupCall.objects.create(group=group, language="de-DE")
    bobs = room.join(phone())
    assert bobs.heard[-1] == "Drücken Sie jederzeit die Sterntaste, wenn Sie Hilfe brauchen."
    assert (bobs.star().heard[0], bobs.languages) == ("Drücken Sie die 1, und niemand hört Sie.", {"de-DE"})
    assert bobs.press("2").heard == ["Sonst ist niemand im Gespräch."]


def test_whoever_dials_in_hears_of_it(bobs):
    assert bobs.heard[-1] == "Press star at any time for help."


def test_an_app_has_none(twilio, group, bob):
    answer = twilio("/api/voice/makeCall", to=group.pk, From=f"client:u_{bob.pk}", CallSid="CA7").content
    assert b"hangupOnStar" not in answer
    assert b"action" not in answer


def test_a_telephone_that_calls_the_groups_own_number_has_one(twilio, group, numbers):
    answer = twilio("/api/voice/makeCall", to=group.pk, From="+12025550123", To="+12025550100", CallSid="CA7").content
    assert b'hangupOnStar="true"' in answer


# Who may come back


def test_a_lock_keeps_nobody_out_who_is_in_the_menu(alices, bobs, api, group):
    bobs.star()
    assert api.put(f"/api/groups/{group.pk}/call", {"locked": True}).status_code == 200
    assert bobs.wait().group_id == group.pk


@pytest.mark.parametrize("why", ["taken off", "no member", "disabled", "disabled silently", "group gone", "hung up"])
def test_who_may_be_on_no_more_is_told_that_it_has_ended(alices, bobs, sign_in, bob, group, why):
    bobs.star()
    match why:
        case "taken off":
            take_off_call(group_id=group.pk, user_id=bob.pk, by=None, check=lambda: None)
        case "no member":
            Membership.objects.get(user=bob).delete()
        case "disabled":
            bob.is_active = False
            bob.save()
        case "disabled silently":  # as by a command of the database's
            User.objects.filter(pk=bob.pk).update(is_active=False)
        case "group gone":
            group.delete()
        case "hung up":  # and Twilio's question comes behind it
            bobs.hang_up()
            bobs.is_over = False
    assert bobs.press("*").heard == ["This call has ended. Please call again."]


def test_in_a_german_group_they_are_told_so_in_german(numbers, phone, room, group):
    GroupCall.objects.create(group=group, language="de-DE")
    bobs = room.join(phone())
    bobs.star()
    group.delete()
    assert bobs.press("*").languages == {"de-DE"}


def test_who_steps_out_when_their_time_is_over_has_ended(bobs, monkeypatch):
    late = timezone.now() + timezone.timedelta(hours=4, seconds=1)
    monkeypatch.setattr("voice.keypad.menu.timezone.now", lambda: late)
    assert bobs.star(DialCallStatus="completed").heard == ["This call has ended. Please call again."]


def test_who_has_talked_for_hours_steps_out_as_before(bobs, signing_clock):
    signing_clock(3.9)
    assert bobs.star(DialCallStatus="completed").heard == MENU


@pytest.mark.parametrize("status", ["failed", "busy", "no-answer", "canceled"])
def test_who_could_not_be_let_in_is_not_asked_anything(bobs, status):
    assert bobs.star(DialCallStatus=status).heard == [
        "Something went wrong on our side. Please call again in a minute."
    ]


# What it costs


def test_time_goes_on_in_the_menu(bobs, goes):
    before, ends_at = bobs.time_limit, ours(Call).get().ends_at
    goes(bobs, "2")
    assert before - 60 < bobs.time_limit <= before
    assert ours(Call).get().ends_at == ends_at


def test_a_leg_is_held_for_and_charged_once(bobs, goes, alice, run_jobs):
    account = Account.objects.get(user=alice)
    post_entry(account=account, kind=LedgerEntry.Kind.ADJUSTMENT, amount_micros=5_000_000, reference="a", memo="x")
    held = held_by_calls(account)
    bobs.star()
    assert held_by_calls(account) == held
    bobs.press("2"), goes(bobs, "1"), goes(bobs, "1")
    assert (ours(Call).count(), held_by_calls(account)) == (1, held)
    bobs.hang_up()
    run_jobs()
    charges = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.CALL)
    assert (charges.count(), held_by_calls(account)) == (1, 0)


def test_somebody_with_two_phones_hears_of_the_others_alone(alices, bobs, room, phone, goes):
    room.join(phone(ALICES))
    assert goes(alices, "2") == ["With you on the call:", "Bob."]
