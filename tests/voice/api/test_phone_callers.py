"""Callers from the telephone network: Twilio names them by number, and the group by the number that was dialled."""

from datetime import UTC, datetime

import pytest

from groups.models import Group, Membership
from tests.conftest import person
from tests.neighbours import ours
from tests.voice.api.test_make_call import conference, spoken
from users.models import User, VerifiedNumber
from voice.models import Call

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def verify(person, number="+12025550123"):
    """The person has shown that this telephone is theirs."""
    VerifiedNumber.objects.update_or_create(user=person, defaults={"number": number, "verified_at": NOW})


@pytest.fixture
def dial(twilio, group, bob):
    """Somebody dials the group's number; Bob's number is known."""
    group.phone_number = "+15550001"
    group.save()
    verify(bob)
    return lambda caller, number="+15550001": twilio("/api/voice/makeCall", From=caller, To=number, CallSid="CA1")


def test_a_members_number_goes_straight_in(dial, group, bob):
    assert conference(dial("+12025550123")).text == str(group.pk)
    assert ours(Call).get().user_id == bob.pk


def test_of_two_groups_of_one_number_the_older_one_is_joined(dial, group, bob):
    newer = Group.objects.create(name="Newer", phone_number="+15550001")
    Membership.objects.create(group=newer, user=bob)
    assert conference(dial("+12025550123")).text == str(group.pk)


def test_a_number_written_without_its_plus_is_the_same(dial, group):
    group.phone_number = "15550001"
    group.save()
    assert conference(dial("+12025550123")).text == str(group.pk)


def test_who_dials_no_number_is_told_that_no_group_has_it(twilio, dial):
    answer = twilio("/api/voice/makeCall", From="+12025550123", CallSid="CA1")
    assert spoken(answer) == "No group has this number. Please check it and call again."


def test_another_number_is_told_that_it_is_not_on_the_list(dial):
    assert "not on the list" in spoken(dial("+12025550199"))
    assert not ours(Call).exists()


def test_a_number_that_nobody_verified_names_nobody(dial, alice, dave):
    User.objects.filter(pk__in=(alice.pk, dave.pk)).update(phone_number=12025550199)
    assert "not on the list" in spoken(dial("+12025550199"))
    assert not ours(Call).exists()


def test_what_somebody_says_later_of_themself_changes_nothing_about_who_calls(dial, api, alice, bob):
    api.put(f"/api/users/{bob.pk}", {"phoneNumber": None})
    api.put(f"/api/users/{alice.pk}", {"phoneNumber": "+12025550123"})
    conference(dial("+12025550123"))
    assert ours(Call).get().user_id == bob.pk


@pytest.mark.parametrize("caller", ["12025550123", "2025550123"])
def test_a_callers_number_without_its_plus_is_read_where_it_can_mean_only_one(dial, bob, caller):
    conference(dial(caller))
    assert ours(Call).get().user_id == bob.pk


@pytest.mark.parametrize("caller", ["+525512345678", "+5215512345678", "5215512345678"])
def test_both_forms_of_a_mexican_mobile_are_one_number(dial, bob, caller):
    verify(bob, "+525512345678")
    conference(dial(caller))
    assert ours(Call).get().user_id == bob.pk


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("5550119999", "+15550119999"),
        ("555-011-9999", "+15550119999"),
        ("15550119999", "+15550119999"),
        ("02071234567", "+442071234567"),
        ("442071234567", "+442071234567"),
        ("+49301234567", "+49301234567"),
    ],
)
def test_a_groups_number_is_found_however_its_people_wrote_it(dial, group, written, dialled):
    group.phone_number = written
    group.save()
    assert conference(dial("+12025550123", number=dialled)).text == str(group.pk)


def test_a_number_of_somebody_outside_the_group_is_not_on_the_list(dial, dave):
    verify(dave, "+12025550177")
    assert "not on the list" in spoken(dial("+12025550177"))


def test_a_number_that_no_group_has_says_so(dial):
    assert "No group has this number" in spoken(dial("+12025550123", number="+15550009"))


WITHHELD = ["", "anonymous", "Unknown", "restricted", "+266696687", "+7378742833", "+17378742833", "+86282452253"]
NO_PHONE = ["sip:x@example.com", "whatsapp:+12025550123", "messenger:7"]
WRONG = ["+1202", "+15551234567", "+112025550123", "5550119999", "+999999999999999", "+0"]


@pytest.mark.parametrize(
    ("callers", "why"),
    [
        (WITHHELD, "Your number is withheld."),
        (NO_PHONE, "We cannot tell who you are. Please use the app, or call from a phone whose number is shown."),
        (WRONG, "Your number did not come through correctly."),
        (["client:", "client:u_1"], "No group detected."),
    ],
)
def test_a_caller_without_a_number_is_told_what_is_wrong(dial, callers, why):
    for caller in callers:
        assert spoken(dial(caller)).startswith(why)
    assert not ours(Call).exists()


@pytest.mark.parametrize("digits", [266696687, 7378742833, 17378742833, 8656696, 86282452253, 15551234567])
@pytest.mark.parametrize("to", [{}, {"to": "the group"}])
def test_a_number_that_is_nobodys_lets_nobody_in_as_whoever_wrote_it(dial, twilio, group, bob, settings, digits, to):
    settings.OPEN_MODE = False
    verify(bob, f"+{digits}")
    where = {"to": group.pk} if to else {"To": group.phone_number}
    assert spoken(twilio("/api/voice/makeCall", From=f"+{digits}", CallSid="CA1", **where))
    assert not ours(Call).exists()


def test_of_two_people_with_one_number_who_is_in_the_group_calls(dial, group, bob, alice, dave):
    verify(dave)
    assert conference(dial("+12025550123")).text == str(group.pk)
    assert ours(Call).get().user_id == bob.pk


@pytest.mark.parametrize("is_open", [True, False])
def test_of_two_people_of_the_group_with_one_number_neither_is_taken_for_the_other(
    dial, alice, settings, is_open, call_to
):
    settings.OPEN_MODE = is_open
    verify(alice)
    for answer in (dial("+12025550123"), call_to("+12025550123")):
        assert spoken(answer).startswith("Several people of this group have this telephone")
    assert not ours(Call).exists()


# A number's webhook that names the group


@pytest.fixture(params=[True, False], ids=["open", "sign-in"])
def call_to(dial, twilio, group, settings, request):
    settings.OPEN_MODE = request.param
    return lambda caller: twilio("/api/voice/makeCall", to=group.pk, From=caller, To="+15550009", CallSid="CA1")


def test_a_members_phone_is_found_in_the_group_that_is_named(call_to, group, bob):
    assert conference(call_to("+12025550123")).text == str(group.pk)
    assert ours(Call).get().user_id == bob.pk


@pytest.mark.parametrize(
    ("caller", "why"),
    [("+12025550199", "not on the list"), ("anonymous", "withheld"), ("+266696687", "withheld"), ("sip:x@y", "app")],
)
def test_an_unknown_phone_is_nobody_and_let_in_only_in_open_mode(call_to, settings, caller, why):
    answer = call_to(caller)
    if settings.OPEN_MODE:
        assert conference(answer).text
        assert ours(Call).get().user_id is None
    else:
        assert why in spoken(answer)


@pytest.mark.parametrize("is_shared", [True, False])
def test_in_open_mode_a_phone_from_outside_is_its_owners_and_a_shared_one_nobodys(dial, twilio, group, dave, is_shared):
    for owner in (dave, person("Erin"))[: 1 + is_shared]:
        verify(owner, "+12025550177")
    conference(twilio("/api/voice/makeCall", to=group.pk, From="+12025550177", CallSid="CA1"))
    assert ours(Call).get().user_id == (None if is_shared else dave.pk)


# A disabled account


@pytest.fixture
def disabled(bob):
    verify(bob)
    bob.is_active = False
    bob.save()
    return bob


@pytest.mark.parametrize("caller", ["+12025550123", "client:u_{}"])
def test_a_disabled_account_is_let_in_by_no_door(call_to, disabled, caller):
    assert spoken(call_to(caller.format(disabled.pk))) == "Your account is disabled. Please ask the operator."
    assert not ours(Call).exists()


def test_nor_by_the_groups_number(dial, disabled):
    assert spoken(dial("+12025550123")) == "Your account is disabled. Please ask the operator."


def test_a_disabled_account_shuts_nobody_out_who_has_the_same_number(dial, disabled, alice):
    verify(alice)
    conference(dial("+12025550123"))
    assert ours(Call).get().user_id == alice.pk


def test_where_sign_in_is_on_only_people_of_the_group_are_let_in(twilio, group, bob, dave, settings):
    settings.OPEN_MODE = False

    def call(caller):
        return twilio("/api/voice/makeCall", to=group.pk, From=caller)

    assert conference(call(f"client:u_{bob.pk}")).text == str(group.pk)
    for caller in (f"client:u_{dave.pk}", f"client:{group.pk}", "", "client:u_999"):
        assert "not a member" in spoken(call(caller))
