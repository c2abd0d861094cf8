"""What is other people's stays as it is, whatever the one who goes was called."""

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework.exceptions import NotFound

from billing.cards import replace_default
from billing.erasing import events_saying
from billing.ledger import account_of
from billing.models import Account, StripeEvent, TopUp
from billing.top_ups import add_money
from groups.models import Activity, Caption, Group, PartialCaption, Push, SandboxNotification
from groups.notifications.models import SandboxEmail, SandboxMessage
from tests.doubles.server import Fault
from tests.neighbours import ours
from users.erasing import saying, without
from users.models import User
from voice.models import Call


@pytest.fixture
def said(group, alice, bob):
    """What Alice's activity says once Bob is gone; by default in a group of his."""

    def said(text, *, where=group, goer=bob):
        written = Activity.objects.create(group=where, user=alice, activity=text)
        User.objects.get(pk=goer.pk).delete()
        written.refresh_from_db()
        return written.activity

    return said


def test_a_name_goes_where_it_stands_alone(said):
    text = "Alice invited Bob, not Bobby, McBob or bob"
    assert said(text) == "Alice invited deleted person, not Bobby, McBob or bob"


def test_in_groups_of_others_a_name_is_anybodys_and_an_email_is_not(said):
    there = Group.objects.create(name="Elsewhere")
    assert said("Bob is bob@example.com", where=there) == "Bob is deleted person"


def test_a_number_goes_however_it_is_written(said, bob):
    User.objects.filter(pk=bob.pk).update(phone_number=525512345678)
    written = ["+525512345678", "525512345678", "+5215512345678", "5215512345678", "52551234567"]
    assert said(" or ".join(written)) == " or ".join([*["deleted person"] * 4, written[-1]])


@pytest.mark.alone
def test_what_others_said_aloud_is_treated_as_what_they_wrote(group, alice, bob):
    there, said = Group.objects.create(name="Elsewhere"), "Bob is bob@example.com"
    for where in (group, there):
        spoken = {"group": where, "user": alice, "display_name": "Alice", "text": said}
        Caption.objects.create(**spoken)
        PartialCaption.objects.create(transcription=f"GT{where.pk}", **spoken)
    bob.delete()
    for captions in (Caption, PartialCaption):
        assert dict(captions.objects.values_list("group", "text")) == {
            group.pk: "deleted person is deleted person",
            there.pk: "Bob is deleted person",
        }


def test_a_letter_to_their_address_goes_however_somebody_has_written_it(api, bob):
    SandboxEmail.objects.create(to="BOB@Example.com", subject="You are invited", text="To a group.", html="")
    assert api.delete(f"/api/users/{bob.pk}").status_code == 200
    assert not ours(SandboxEmail).exists()


@pytest.mark.alone
def test_of_what_people_were_told_goes_what_names_them_or_went_to_them(group, alice, bob):
    User.objects.filter(pk=bob.pk).update(phone_number=12025550123)
    there, until = Group.objects.create(name="Elsewhere"), timezone.now()
    stay, own, near = "Alice calls", f"u_{bob.pk}", f"u_{bob.pk}0"
    for to, subject, text in (
        ("alice@example.com", stay, stay),
        ("bob@example.com", "A letter", "Hello"),
        ("alice@example.com", "Bob invites you", "Hello"),
        ("alice@example.com", "A letter", "Bob invites you"),
    ):
        SandboxEmail.objects.create(to=to, subject=subject, text=text, html="")
    for to, body in (("+12025550199", stay), ("+12025550123", "Hello"), ("+12025550199", "Bob calls")):
        SandboxMessage.objects.create(to=to, body=body)
    told = ((group, stay), (there, "Bob calls"), (group, "Bob calls"), (there, "Write to bob@example.com"))
    for number, (where, body) in enumerate(told):
        Push.objects.create(cause=f"call:CF{number}", group_id=where.pk, body=body, until_at=until)
        SandboxNotification.objects.create(group_id=where.pk, body=body, identities=[near])
    SandboxNotification.objects.create(group_id=there.pk, body="A call", identities=[near, own])
    User.objects.get(pk=bob.pk).delete()
    assert (ours(SandboxEmail).get().subject, ours(SandboxMessage).get().body) == (stay, stay)
    for kind in (Push, SandboxNotification):
        assert set(kind.objects.values_list("body", flat=True)) == {stay, "Bob calls"}
        assert kind.objects.count() == 2


@pytest.mark.parametrize("name", ["display_name", "first_name", "last_name"])
def test_a_name_that_somebody_else_bears_names_nobody(said, carol, name):
    User.objects.filter(pk=carol.pk).update(**{name: "Bob"})
    assert said("Alice invited Bob, BOB@example.com") == "Alice invited Bob, deleted person"


@pytest.mark.parametrize(("first", "last"), [("Ann", ""), ("", "Ann")])
def test_a_first_name_alone_makes_no_full_name_of_a_space_or_a_comma(said, bob, first, last):
    User.objects.filter(pk=bob.pk).update(first_name=first, last_name=last)
    assert said("Alice - Ann - Carol") == "Alice - deleted person - Carol"


def test_namesakes_who_go_together_are_both_forgotten(group, alice, bob, carol):
    User.objects.filter(pk=carol.pk).update(display_name="Bob")
    written = Activity.objects.create(group=group, user=alice, activity="Alice invited Bob")
    User.objects.filter(pk__in=(bob.pk, carol.pk)).delete()
    written.refresh_from_db()
    assert written.activity == "Alice invited deleted person"


@pytest.mark.alone
def test_a_text_that_grows_too_long_is_cut(said, bob):
    bob.display_name = "B"
    bob.save()
    assert len(said("B " * 64)) == 128


def test_of_as_many_words_as_thousands_leave_one_is_found(group, alice):
    """More than SQLite takes in one row of ORs. https://www.sqlite.org/limits.html#max_expr_depth"""
    words = [f"person{number}@example.com" for number in range(3_000)]
    called = Activity.objects.create(group=group, user=alice, activity=f"Alice called {words[-1].upper()}")
    Activity.objects.create(group=group, user=alice, activity="Alice called somebody@example.com")
    event = StripeEvent.objects.create(id="evt_1", type="customer.updated", payload={"email": words[1_500]})
    assert [*Activity.objects.filter(saying("activity", words))] == [called]
    assert [*events_saying(words)] == [event]


@pytest.mark.parametrize("name", [".*", "(", "👋", "Zo\\", "%", "_", "a|b"])
def test_a_name_is_no_pattern(name):
    assert without([name, ""])(f"{name} called x") == "deleted person called x"


def test_the_numbers_of_a_call_stay_with_who_has_the_same_landline(alice, bob, group):
    User.objects.filter(pk__in=(alice.pk, bob.pk)).update(phone_number=12025550123)
    for user in (alice, bob):
        Call.objects.create(sid=f"CA{user.pk}", user_id=user.pk, group_id=group.pk, caller="+12025550123")
    User.objects.get(pk=bob.pk).delete()
    assert dict(ours(Call).values_list("user_id", "caller")) == {alice.pk: "+12025550123", bob.pk: ""}


@pytest.mark.parametrize("number", ["+12025550123", "12025550123"])
def test_a_call_of_nobodys_keeps_their_number_in_no_form(bob, group, number):
    User.objects.filter(pk=bob.pk).update(phone_number=12025550123)
    for name in ("caller", "called"):
        Call.objects.create(sid=f"CA{name}", group_id=group.pk, **{name: number})
    User.objects.get(pk=bob.pk).delete()
    assert {*ours(Call).values_list("caller", "called")} == {("", "")}


def test_nobody_pays_any_more_who_is_deleted_meanwhile(stripe_payments, stripe_double, bob):
    stale = User.objects.get(pk=bob.pk)
    stale.account = account_of(bob)
    stale.stripe_id = stripe_payments.create_customer(email="b@example.com", name="B", key="k")
    User.objects.get(pk=bob.pk).delete()
    with pytest.raises(NotFound):
        add_money(user=stale, amount_cents=500)
    assert (ours(TopUp).count(), stripe_double.intents) == (0, {})


def test_a_payment_under_way_is_finished_without_its_customer(stripe_payments, stripe_double, api, bob):
    replace_default(user=bob, source="tok_visa")
    stripe_double.fail_next(None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    api.post("/api/billing/addMoney", {"userId": bob.pk, "amountToAdd": 20})
    User.objects.get(pk=bob.pk).delete()
    assert ours(TopUp).get().customer == ""
    stripe_double.faults.clear()
    call_command("reconcile_payments")
    assert (ours(TopUp).get().status, ours(Account).get().balance_micros()) == ("succeeded", 20_000_000)


def test_a_payment_that_never_came_to_stripe_is_not_charged_once_its_owner_is_gone(stripe_payments, stripe_double, bob):
    card = replace_default(user=bob, source="tok_visa").id
    bob.refresh_from_db()
    TopUp.objects.create(account=account_of(bob), customer=bob.stripe_id, amount_cents=2000, card=card)
    User.objects.get(pk=bob.pk).delete()
    call_command("reconcile_payments")
    left = ours(TopUp).get()
    assert (left.status, left.message.partition(" and ")[0]) == ("refused", "The payment was not completed in time")
    assert stripe_double.sent("POST", "/v1/payment_intents") == []
