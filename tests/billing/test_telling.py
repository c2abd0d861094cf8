"""What people are told of their money, each thing once."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from billing.ledger import account_of, post_entry
from billing.models import Card, LedgerEntry, TopUp
from billing.telling import expiring_cards, tell_if_low, tell_of_card
from core.jobs.models import Job
from groups.notifications.models import Notice, SandboxEmail
from tests.neighbours import ours
from users.models import User
from users.notification_choices import choose
from voice.credit.charges import settle_by_staff
from voice.models import Call, Conference


@pytest.fixture
def pay(api, alice):
    def pay(source="tok_visa", dollars=20):
        api.post("/api/billing/updateCreditCard", {"userId": alice.pk, "sourceId": source})
        return api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": dollars})

    return pay


def letters():
    return list(ours(SandboxEmail).order_by("pk").values_list("text", flat=True))


def first_lines():
    return [text.splitlines()[0] for text in letters()]


def test_money_that_was_added_is_told_once(pay, run_jobs):
    assert pay().json() == {"updatedAccountBalance": 20}
    run_jobs()
    run_jobs()
    assert first_lines() == ["$20.00 was added to your money for calls."]


def test_a_card_that_could_not_be_charged_is_told(pay, run_jobs):
    assert "errorMessage" in str(pay("tok_chargeCustomerFail").json()) or ours(TopUp).get().status == "refused"
    run_jobs()
    assert first_lines() == ["Your card could not be charged $20.00, and nothing was taken."]


def test_the_same_payment_once_more_tells_nothing_new(api, alice, pay, run_jobs):
    api.post("/api/billing/updateCreditCard", {"userId": alice.pk, "sourceId": "tok_visa"})
    for _ in range(2):
        body, key = {"userId": alice.pk, "amountToAdd": 5}, {"Idempotency-Key": "k1"}
        api.post("/api/billing/addMoney", body, headers=key)
    run_jobs()
    assert len(letters()) == 1


def test_who_wants_no_letters_of_money_gets_none(pay, alice, run_jobs):
    choose(user_id=alice.pk, email=False)
    pay()
    run_jobs()
    assert letters() == []
    assert set(ours(Notice).values_list("why", flat=True)) == {
        "They want nothing by this way.",
        "They have no device.",
    }


@pytest.fixture
def has(alice):
    def has(micros):
        fields = {"kind": LedgerEntry.Kind.ADJUSTMENT, "memo": "x", "reference": f"a:{ours(LedgerEntry).count()}"}
        post_entry(account=account_of(alice), amount_micros=micros, **fields)

    return has


@pytest.fixture
def charge(alice):
    """A leg of a conversation costs Alice so much."""
    counted = iter(range(100))

    def charge(micros, conference="CF1"):
        number = next(counted)
        talk, _ = Conference.objects.get_or_create(pk=conference)
        fields = {"sid": f"CA{number}", "conference": talk, "end_time": timezone.now(), "payer": account_of(alice)}
        settle_by_staff(Call.objects.create(**fields), micros, reason="because")

    return charge


def test_money_that_runs_low_is_told_once_until_some_comes_in(has, charge, run_jobs, settings):
    settings.CALL_RATE, settings.CONFERENCE_RATE = 8_500, 1_500  # ten minutes of two phones are $0.20
    has(1_000_000)
    for micros in (790_000, 10_000):
        charge(micros)
        run_jobs()
        assert letters() == []
    for _ in range(3):
        charge(10_000)
        run_jobs()
    assert first_lines() == ["You have $0.19 left for calls: that is about ten minutes, or less."]
    has(1_000_000)
    charge(1_000_000)
    run_jobs()
    assert len(letters()) == 2


def test_whose_money_runs_low_is_told_alone_and_what_comes_in_for_another_counts_for_that_one(
    has, charge, alice, bob, run_jobs
):
    def for_bob(reference):
        post_entry(account=account_of(bob), kind="adjustment", amount_micros=50_000, reference=reference, memo="x")

    for_bob("b:1")
    has(100_000)
    charge(90_000)
    for_bob("b:2")
    charge(5_000)
    run_jobs()
    low = Notice.objects.filter(kind=Notice.Kind.LOW)
    assert set(low.values_list("user_id", "about")) == {(alice.pk, low[0].about)}


def test_a_usual_call_has_as_many_phones_as_the_last_ones_had(has, charge, run_jobs, settings):
    settings.CALL_RATE, settings.CONFERENCE_RATE = 8_500, 1_500
    has(1_000_000)
    for _ in range(5):
        charge(110_000)  # $0.45 is left, and ten minutes of five phones are $0.50
    run_jobs()
    assert len(letters()) == 1


def test_money_that_is_used_up_is_told_in_these_words(has, charge, run_jobs):
    has(100_000)
    charge(150_000)
    run_jobs()
    assert first_lines() == ["Your money for calls is used up."]


def test_of_what_is_owed_nobody_is_told_once_its_owner_is_gone(has, alice):
    has(-50_000)
    account = account_of(alice)
    User.objects.get(pk=alice.pk).delete()
    tell_if_low(account, below_micros=1)
    assert not ours(Notice).exists()


def test_who_never_had_money_is_told_that_it_is_used_up(charge, run_jobs):
    charge(50_000)
    run_jobs()
    assert first_lines() == ["Your money for calls is used up."]


def test_who_has_added_money_before_they_could_be_told_is_not(has, charge, run_jobs):
    has(100_000)
    charge(90_000)
    has(20_000_000)
    run_jobs()
    assert letters() == []
    assert "It is so no longer." in set(ours(Notice).values_list("why", flat=True))


@pytest.fixture
def card(alice):
    def card(year, month, **fields):
        fields = {"id": "pm_1", "is_default": True, "user": alice, **fields}
        return Card.objects.create(brand="visa", last4="4242", exp_month=month, exp_year=year, **fields)

    return card


@pytest.mark.parametrize(
    ("today", "month", "is_told"),
    [
        (date(2027, 3, 1), (2027, 3), True),
        (date(2027, 3, 31), (2027, 3), True),
        (date(2027, 4, 1), (2027, 3), False),
        (date(2027, 3, 29), (2027, 4), False),
        (date(2027, 3, 30), (2027, 4), True),
        (date(2027, 1, 27), (2027, 2), False),
        (date(2027, 1, 30), (2027, 2), True),
        (date(2027, 12, 31), (2028, 1), True),
        (date(2027, 3, 15), (2028, 3), False),
        (date(2027, 3, 30), (2028, 4), False),
        (date(2027, 3, 30), (2027, 5), False),
        (date(2027, 3, 30), (2026, 3), False),
    ],
)
def test_a_card_expires_with_the_last_day_of_its_month(card, today, month, is_told):
    card(*month)
    assert expiring_cards(today).exists() is is_told


def run():
    call_command("tell_of_cards", verbosity=0)


def test_a_card_that_expires_is_told_once_for_each_date(card, run_jobs):
    now = timezone.now()
    known = card(now.year, now.month)
    for _ in range(2):
        run()
        run_jobs()
    words = f"Your card ending in 4242 expires at the end of {now:%B %Y}: please enter the new one."
    assert first_lines() == [words]
    later = now + timedelta(days=400)
    Card.objects.filter(pk=known.pk).update(exp_year=later.year, exp_month=later.month)
    run()
    assert not Job.objects.unfinished().exists()


def test_once_the_runs_time_is_over_the_rest_is_told_by_the_next(card, capsys, monkeypatch):
    now = timezone.now()
    card(now.year, now.month)
    monkeypatch.setattr("core.runs.MOST_SECONDS", 0.0)
    run()
    assert "the rest is for the next run" in capsys.readouterr().out
    assert not ours(Notice).exists()


@pytest.mark.parametrize(
    "changes",
    [{"exp_year": 2099}, {"exp_month": timezone.now().month % 12 + 1}, {"is_default": False}],
    ids=["renewed for years", "for months", "pays no more"],
)
def test_a_card_that_was_changed_meanwhile_is_not_told(card, run_jobs, changes):
    now = timezone.now()
    card(now.year, now.month)
    run()
    ours(Card).update(**changes)
    run_jobs()
    assert letters() == []


def test_a_card_that_another_person_has_by_the_time_it_would_be_told_is_not(card, run_jobs, bob):
    now = timezone.now()
    card(now.year, now.month)
    run()
    ours(Card).update(user=bob)
    run_jobs()
    assert letters() == []


def test_another_card_and_another_person_who_has_taken_it_over_are_told(card, run_jobs, bob):
    now = timezone.now()
    for number in (1, 2):
        ours(Card).update(is_default=False)
        card(now.year, now.month, id=f"pm_{number}")
        run()
    Card.objects.filter(pk="pm_2").update(user=bob)
    run()
    told = Notice.objects.filter(kind=Notice.Kind.CARD).order_by("pk").values_list("user__display_name", "about")
    assert [(name, about.partition(":")[0]) for name, about in dict.fromkeys(told)] == [
        ("Alice", "pm_1"),
        ("Alice", "pm_2"),
        ("Bob", "pm_2"),
    ]


def test_a_card_that_pays_nothing_any_more_when_its_turn_comes_is_not_told(card):
    known = card(2027, 3)
    ours(Card).update(is_default=False)
    assert not tell_of_card(known)
    assert not ours(Notice).exists()


def test_a_card_that_another_person_has_or_that_gave_way_to_another_when_its_turn_comes_is_not_told(card, bob):
    known = card(2027, 3)
    ours(Card).update(user=bob)
    assert not tell_of_card(known)
    ours(Card).update(user=known.user, is_default=False)
    card(2027, 3, id="pm_2")
    assert not tell_of_card(known)
    assert not ours(Notice).exists()


def test_a_card_that_was_told_meanwhile_is_not_told_when_its_turn_comes(card):
    known = card(2027, 3)
    assert (tell_of_card(known), tell_of_card(known)) == (True, False)


def test_a_card_that_pays_nothing_is_not_told(card):
    now = timezone.now()
    card(now.year, now.month, is_default=False)
    assert not expiring_cards(now.date()).exists()
    run()
    assert not ours(Notice).exists()
