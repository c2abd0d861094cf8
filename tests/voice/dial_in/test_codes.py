"""Everybody else types the code that stands for a person in a group."""

import secrets
from itertools import chain, count

import pytest

from billing.ledger import set_balance
from groups.models import Group, Membership
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from voice.dial_in.codes import NoFreeCodeError, code_in, digest, follows, is_easy, renew_code, whose_code
from voice.dial_in_models import DialInCode
from voice.models import Call

ASKED = [
    "Welcome to the group calls.",
    "Please type your code on your telephone.",
    "It has eight digits.",
    "You find it in the app, or ask whoever has set it up for you.",
]


@pytest.mark.parametrize(
    "caller", ["+12025550199", "sip:x@example.com", "whatsapp:+12025550123", "anonymous", "", "+266696687"]
)
def test_a_code_lets_any_telephone_in(stranger, code, bob, group, caller):
    call = stranger(caller)
    assert call.heard == ASKED * 2
    assert call.press(code(bob)).group_id == group.pk
    assert call.heard == [
        f"{group.name}.",
        f"You are joining the group {group.name}.",
        "Press star at any time for help.",
    ]
    leg = ours(Call).get()
    assert (leg.user_id, leg.group_id, leg.caller) == (bob.pk, group.pk, caller)


def test_a_code_may_end_with_the_hash_key(stranger, code, bob, group):
    assert stranger().press(f"{code(bob)}#").group_id == group.pk


def test_a_code_is_of_one_group(stranger, code, bob, group):
    choir = Group.objects.create(name="Choir")
    Membership.objects.create(user=bob, group=choir)
    assert code(bob) != code(bob, choir)
    assert stranger().press(code(bob, choir)).group_id == choir.pk


def test_three_wrong_codes_are_the_end_of_a_call(stranger, wrong):
    call = stranger().press(wrong)
    assert call.heard[:2] == ["This code is not right.", "Please type your code on your telephone."]
    call.press(wrong)
    assert "not right either" in call.press(wrong).words
    assert call.is_over


def test_the_third_one_may_be_right(stranger, code, wrong, bob, group):
    call = stranger().press(wrong).press(wrong)
    assert call.press(code(bob)).group_id == group.pk


@pytest.mark.parametrize("keys", ["1234567", "1", "*1234567", "12*45678", "١٢٣٤٥٦٧٨", "1234567é"])
def test_what_is_no_code_is_told_so(stranger, group, keys):
    assert stranger().press(keys).heard[0] == "These were not eight digits."


def test_who_types_nothing_is_asked_three_times(stranger, group):
    assert "type your code" in stranger().wait().wait().words
    assert stranger().wait().wait().wait().words.startswith("We have heard no key.")


def test_the_hash_key_alone_is_nothing(stranger, group):
    assert stranger().press("#").heard == ASKED * 2


# A code dies


def test_a_new_code_ends_the_old_one_at_once(stranger, code, bob, group):
    old = code(bob)
    new = renew_code(group_id=group.pk, user_id=bob.pk, check=lambda: None)
    assert stranger().press(old).heard[0] == "This code is not right."
    assert stranger().press(new).group_id == group.pk


def test_who_leaves_takes_their_code_along(stranger, code, bob, group, api):
    old = code(bob)
    api.delete(f"/api/groups/{group.pk}/groupMembers/{bob.pk}")
    assert not DialInCode.objects.filter(user=bob).exists()
    assert "not right" in stranger().press(old).words


def test_a_part_that_ended_without_a_word_lets_nobody_in(stranger, code, bob, group):
    """Also where they have a part in another group."""
    old = code(bob)
    Membership.objects.filter(user=bob)._raw_delete("default")
    Membership.objects.create(user=bob, group=Group.objects.create(name="Choir"))
    assert "not right" in stranger().press(old).words


@pytest.mark.parametrize("path", ["/api/users/{bob}", "/api/groups/{group}"])
def test_it_ends_with_the_person_and_the_group(stranger, code, bob, group, api, path):
    old = code(bob)
    api.delete(path.format(bob=bob.pk, group=group.pk))
    assert not DialInCode.objects.filter(user=bob.pk).exists()
    assert "not right" in stranger().press(old).words


def test_a_disabled_person_is_told_so(stranger, code, bob):
    old = code(bob)
    bob.is_active = False
    bob.save()
    assert stranger().press(old).heard == ["Your account is disabled. Please ask the operator."] * 2
    assert not ours(Call).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", ["no code", "one under a secret that is gone"])
def test_who_looks_twice_at_once_sees_one_code(on_postgresql, code, bob, settings, before):
    if before != "no code":
        code(bob)
        settings.SECRET_KEY = "another" * 10
    seen = []
    at_once(lambda: seen.append(code(bob)), lambda: seen.append(code(bob)))
    assert seen[0] == seen[1]


# Money


def test_who_is_refused_for_money_is_told_so_and_holds_none(stranger, code, bob, alice, settings):
    settings.MIN_CALL_BALANCE = 500_000
    set_balance(user=alice, balance_micros=0, memo="")
    assert "not enough credit" in stranger().press(code(bob)).words
    assert not ours(Call).exists()


@pytest.mark.alone
@pytest.mark.parametrize("steps", [[], ["wait"], ["press"], ["press", "press"]])
def test_who_hangs_up_before_they_are_let_in_leaves_nothing_that_is_held(stranger, wrong, alice, settings, steps):
    from billing.ledger import account_of
    from voice.credit.call_credit import held_by_calls

    call = stranger()
    for step in steps:
        call.press(wrong) if step == "press" else call.wait()
    call.hang_up()
    assert not Call.objects.exclude(payer=None).exists()
    assert held_by_calls(account_of(alice)) == 0


# How they are kept


def test_a_code_is_shown_again_and_stands_nowhere(code, bob):
    shown = code(bob)
    row = ours(DialInCode).get()
    assert code(bob) == shown
    assert len(shown) == 8
    assert shown not in f"{row.seed} {row.digest}"


@pytest.mark.parametrize("easy", ["00000000", "12121212", "12341234", "12345678", "23456789", "98765432"])
def test_what_is_tried_first_is_no_code(easy):
    assert is_easy(easy)


@pytest.mark.parametrize("code", ["31415926", "31415922", "11223344", "12121213", "11111112", "01234568"])
def test_what_repeats_a_part_alone_is_one(code):
    """Or few would be left, and those be guessed the sooner."""
    assert not is_easy(code)


def test_nobody_is_given_what_is_tried_first(code, bob, settings, monkeypatch):
    """Where chance draws such a one, it draws again."""
    easy = next(seed for seed in map(str, count()) if is_easy(follows(settings.SECRET_KEY, seed)))
    drawn = chain([easy], map(str, count(1_000_000)))
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(drawn))
    assert not is_easy(code(bob))


def change(group, user):
    return renew_code(group_id=group.pk, user_id=user.pk, check=lambda: None)


@pytest.mark.parametrize("is_new", [True, False])
def test_where_another_is_given_the_same_one_at_that_moment_chance_draws_again(
    code, alice, bob, group, monkeypatch, is_new
):
    alices = code(alice)
    old = None if is_new else code(bob)
    drawn = chain([DialInCode.objects.get(user=alice).seed], map(str, count(1)))
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(drawn))
    with monkeypatch.context() as unseen:
        unseen.setattr("voice.dial_in.codes.having", lambda _: DialInCode.objects.none())
        new = code(bob) if is_new else change(group, bob)
    assert new not in (old, alices)
    assert (whose_code(new), whose_code(alices)) == ((bob, group), (alice, group))


def test_where_chance_draws_none_that_is_free_the_old_one_stays(code, alice, bob, group, monkeypatch):
    code(alice)
    old, alices = code(bob), DialInCode.objects.get(user=alice).seed
    monkeypatch.setattr(secrets, "token_hex", lambda _: alices)
    with pytest.raises(NoFreeCodeError):
        change(group, bob)
    assert whose_code(old) == (bob, group)


def test_an_exchanged_secret_keeps_codes_while_the_old_one_is_known(code, bob, group, settings):
    old, key = code(bob), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [key]
    assert code(bob) == old
    assert whose_code(old) == (bob, group)


def test_a_code_of_before_is_given_to_nobody_else(code, alice, bob, group, settings, monkeypatch):
    """By chance the new key makes of a seed what the old one made for Alice."""
    key, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 10
    alices = follows(settings.SECRET_KEY, "1")
    DialInCode.objects.create(user=alice, group=group, seed="old", digest=digest(key, alices))
    settings.SECRET_KEY_FALLBACKS = [key]
    drawn = map(str, count(1))
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(drawn))
    assert code(bob) != alices
    assert whose_code(alices) == (alice, group)


def test_without_it_a_new_code_is_found_where_one_looks(code, bob, group, settings):
    old = code(bob)
    settings.SECRET_KEY = "another" * 10
    assert code(bob) != old
    assert (whose_code(old), whose_code(code(bob))) == (None, (bob, group))


def test_codes_are_all_different_and_follow_no_order(group, make_people):
    codes = [code_in(group_id=group.pk, user_id=pk) for pk in make_people(200)]
    assert len(set(codes)) == 200
    assert sorted(codes) != codes


@pytest.fixture
def make_people(db):
    from users.models import User

    def make_people(count):
        people = [User(email=f"p{number}@example.com", display_name=f"P{number}") for number in range(count)]
        return [each.pk for each in User.objects.bulk_create(people)]

    return make_people
