"""What captions cost: held, charged beside the call, and off before the money is used up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.ledger import account_of, set_balance
from billing.models import LedgerEntry
from core.jobs.worker import do_all
from groups.models import Activity, Group
from tests.neighbours import ours
from tests.voice.captions.conftest import hear, path, talk, turn  # noqa: F401  # fixtures
from voice.credit.audit import prove_charges
from voice.credit.call_credit import call_credit, caption_minutes
from voice.credit.captions import end_captions_without_money
from voice.credit.charges import post_price
from voice.credit.limits import CallCredit, Leg
from voice.models import Call, GroupCall, Transcription

RATE, CAPTIONS = 10_300, 27_000


def credit(minutes, *legs):
    return CallCredit(minutes * (RATE + CAPTIONS), legs, RATE, 5, CAPTIONS)


def captioned(seconds, minutes):
    return Leg(seconds, running=True, caption_minutes=minutes, is_captioned=True)


def test_a_captioned_leg_holds_and_costs_both():
    assert credit(10).time_limit(captions=True) == 10 * 60
    assert credit(10, captioned(0, 1)).free == 5 * (RATE + CAPTIONS)
    assert credit(10, captioned(0, 1)).minutes_left() == 9
    assert credit(1, captioned(0, 1)).is_used_up()
    assert not credit(2, captioned(0, 1)).is_used_up()


@pytest.mark.parametrize(
    ("leg", "minutes", "captions"),
    [
        (captioned(0, 1), 5, 5),
        (captioned(600, 8), 11, 8),
        (Leg(0, running=True, caption_minutes=2), 5, 2),
        (Leg(61, running=False, caption_minutes=2), 2, 2),
    ],
    ids=["a hold of both", "more than a hold", "they are off again", "it has ended"],
)
def test_a_leg_keeps_its_own_captions_from_the_others(leg, minutes, captions):
    assert credit(20, leg).free == 20 * (RATE + CAPTIONS) - minutes * RATE - captions * CAPTIONS


def test_whose_captions_are_off_again_costs_a_call_and_no_captions_from_then_on():
    was_captioned = Leg(0, running=True, caption_minutes=2)
    assert credit(20, was_captioned).each_minute == RATE
    assert credit(20, was_captioned).left == 20 * (RATE + CAPTIONS) - RATE - 2 * CAPTIONS


def test_of_captions_the_limit_is_for_everybodys():
    both = credit(21, captioned(0, 1), captioned(0, 1))
    assert both.time_limit(captions=True) == 19 * (RATE + CAPTIONS) // (3 * (RATE + CAPTIONS)) * 60
    assert both.time_limit() == 19 * (RATE + CAPTIONS) // (3 * RATE + 2 * CAPTIONS) * 60


NOW = timezone.now()


def ago(seconds):
    return NOW - timedelta(seconds=seconds)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "ended", "minutes"),
    [
        ({"started_at": ago(0)}, None, 1),
        ({"started_at": ago(-90)}, None, 1),
        ({"started_at": ago(59)}, None, 1),
        ({"started_at": ago(60)}, None, 2),
        ({"started_at": ago(10**6)}, None, 241),
        ({"started_at": ago(60), "stopped_at": ago(60)}, None, 1),
        ({"started_at": ago(60), "stopped_at": ago(0)}, None, 1),
        ({"started_at": ago(61), "stopped_at": ago(0)}, None, 2),
        ({"started_at": ago(100), "stopped_at": ago(0)}, ago(40), 1),
        ({"started_at": ago(100)}, ago(40), 1),
        ({"started_at": ago(101)}, ago(40), 2),
        ({"started_at": ago(20)}, ago(40), 1),
        ({"started_at": None}, None, 0),
        ({"started_at": ago(60), "fault": "second"}, None, 0),
        ({"started_at": ago(60), "fault": "silent"}, None, 2),
    ],
)
def test_captions_count_by_the_minutes_that_each_time_has_begun(row, ended, minutes):
    call = Call.objects.create(sid="CA1", created_at=ago(3600), end_time=ended)
    Transcription.objects.create(call=call, **row)
    assert caption_minutes(call, now=NOW) == minutes
    Transcription.objects.create(call=call, started_at=ago(61), stopped_at=ago(50))
    assert caption_minutes(call, now=NOW) == minutes + 1


@pytest.mark.django_db
def test_only_legs_that_are_on_a_captioned_call_are(alice, group):
    for number, of in enumerate((group, group, Group.objects.create(name="Work"))):
        GroupCall.objects.get_or_create(group=of, defaults={"captions": of == group})
        ended = {"end_time": NOW, "duration": 0} if number == 0 else {}
        Call.objects.create(sid=f"CA{number}", payer=account_of(alice), group_id=of.pk, created_at=NOW, **ended)
    assert call_credit(alice.account, now=NOW).each_minute == 2 * RATE + CAPTIONS


@pytest.mark.usefixtures("talk")
def test_they_are_an_entry_of_their_own_and_proved(twilio, group, alice, hear):  # noqa: F811
    now = timezone.now()
    set_balance(user=alice, balance_micros=10_000_000, memo="")
    hear("Hello.", 1)
    Transcription.objects.update(started_at=now - timedelta(seconds=700))
    twilio("/api/voice/callEvents", CallSid="CA1", CallStatus="completed", CallDuration="800")
    call = Call.objects.get(sid="CA1")
    Call.objects.filter(pk=call.pk).update(payer=account_of(alice), end_time=now)
    Transcription.objects.filter(call=call).update(stopped_at=now)
    call.refresh_from_db()
    post_price(call, -8_500, now=now)
    assert LedgerEntry.objects.filter(kind="call").count() == 2
    post_price(call, -8_500, now=now)
    entry = LedgerEntry.objects.get(reference="twilio:CA1:captions")
    assert (entry.amount_micros, entry.memo) == (-12 * CAPTIONS, "Captions, 12 min, in Family")
    Transcription.objects.filter(call=call).update(stopped_at=now - timedelta(seconds=90))  # which was told late
    post_price(call, -8_500, now=now)
    corrected = LedgerEntry.objects.get(reference="twilio:CA1:captions:corrected:1")
    assert (corrected.amount_micros, corrected.memo) == (CAPTIONS, "Corrected captions in Family")
    assert {entry.group_id, corrected.group_id} == {group.pk}
    assert LedgerEntry.objects.filter(kind="call").count() == 3
    assert not differences()


@pytest.mark.django_db
def test_nobody_is_charged_for_the_captions_of_a_call_that_nobody_pays():
    call = Call.objects.create(sid="CA1", created_at=ago(800), end_time=NOW, duration=800)
    Transcription.objects.create(call=call, started_at=ago(700), stopped_at=NOW)
    for price in (-8_500, -8_500):
        post_price(call, price, now=NOW)
    assert not ours(LedgerEntry).exists()
    call.refresh_from_db()
    assert call.captions_micros is None


def differences():
    return [(each.check, each.wrong) for each in prove_charges(lambda _: None) if each.wrong]


@pytest.fixture
def short(settings, alice):
    """Money for so many minutes of two captioned phones."""
    settings.MIN_CALL_BALANCE = 1

    def short(minutes):
        ours(Call).update(payer=account_of(alice), created_at=timezone.now())
        set_balance(user=alice, balance_micros=(minutes * 2 + 2) * (RATE + CAPTIONS), memo="")

    return short


@pytest.mark.usefixtures("talk")
def test_where_the_money_is_short_it_is_said_and_then_they_go_off(short):
    now = timezone.now()
    short(9)
    end_captions_without_money(now=now)
    assert ours(GroupCall).get().captions_warned_at is None
    short(5)
    end_captions_without_money(now=now)
    assert ours(GroupCall).get().captions_warned_at is None
    short(4)
    end_captions_without_money(now=now)
    assert ours(GroupCall).get().captions_warned_at == now
    end_captions_without_money(now=now + timedelta(seconds=60))
    assert ours(GroupCall).get().captions
    short(3)
    end_captions_without_money(now=now + timedelta(seconds=30))
    assert ours(GroupCall).get().captions
    end_captions_without_money(now=now + timedelta(seconds=50))  # the next run comes a little early
    assert not ours(GroupCall).get().captions


@pytest.mark.usefixtures("talk")
def test_all_hear_so_and_the_group_reads_why(short, alice, twilio_telephony, twilio_double):
    twilio_double.conferences["CF1"] = {"sid": "CF1", "status": "in-progress"}
    ours(GroupCall).update(captions_by=alice.pk)
    now = timezone.now()
    short(4)
    end_captions_without_money(now=now)
    do_all()
    assert [url.partition("say=")[2].partition("&")[0] for _, url in twilio_double.announced] == ["captionsEnd"]
    short(3)
    end_captions_without_money(now=now + timedelta(seconds=60))
    assert "money" in ours(Activity).latest("number").activity


@pytest.mark.usefixtures("talk")
def test_who_talks_is_not_warned_of_an_end_that_is_put_off_by_their_going_off(short, reconcile):
    short(2)
    now = timezone.now()
    ours(GroupCall).update(captions_warned_at=now - timedelta(minutes=1))
    reconcile()
    assert not ours(GroupCall).get().captions
    assert not ours(Call).exclude(warned_at=None).exists()


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize("free", ["MIN_CALL_BALANCE", "CAPTION_RATE"])
def test_where_they_need_no_money_they_stay_on(short, settings, free):
    short(0)
    setattr(settings, free, 0)
    for seconds in (0, 60):
        assert end_captions_without_money(now=NOW + timedelta(seconds=seconds)) == 0
    assert ours(GroupCall).get().captions_warned_at is None
    assert ours(GroupCall).get().captions


@pytest.mark.alone
@pytest.mark.usefixtures("talk")
def test_another_payers_captions_stay_on_and_those_of_a_call_that_nobody_pays(short, bob):
    short(0)
    theirs = [Group.objects.create(name=name) for name in ("Work", "Nobody's")]
    for of, payer in zip(theirs, (account_of(bob), None), strict=True):
        GroupCall.objects.create(group=of, captions=True)
        Call.objects.create(sid=f"CA{of.name}", payer=payer, caller="x", group_id=of.pk)
    set_balance(user=bob, balance_micros=100_000_000, memo="")
    for seconds in (0, 60):
        assert end_captions_without_money(now=timezone.now() + timedelta(seconds=seconds)) == 0
    assert set(GroupCall.objects.filter(captions=True).values_list("pk", flat=True)) == {of.pk for of in theirs}


@pytest.mark.usefixtures("talk")
def test_of_two_payers_of_one_call_without_money_the_second_finds_them_off(short, bob):
    short(0)
    Call.objects.filter(sid="CA2").update(payer=account_of(bob))
    for seconds in (0, 60):
        assert end_captions_without_money(now=timezone.now() + timedelta(seconds=seconds)) == 0
    assert not ours(GroupCall).get().captions


def test_who_cannot_pay_a_hold_of_them_is_told_so(leg, tell, turn, group, alice, bob, settings):  # noqa: F811
    settings.MIN_CALL_BALANCE = 1
    set_balance(user=alice, balance_micros=2 * 5 * RATE + 1, memo="")
    for number, user in enumerate((alice, bob), 1):
        leg(user, f"CA{number}")
        tell(number, "participant-join", f"CA{number}")
    Call.objects.create(sid="CA3", payer=account_of(bob), caller="x", group_id=group.pk)  # who pays for themself
    assert turn(on=True, expected=402)["code"] == "not_enough_credit"
    set_balance(user=alice, balance_micros=2 * 5 * (RATE + CAPTIONS) - 1, memo="")
    assert turn(on=True, expected=402)["code"] == "not_enough_credit"
    set_balance(user=alice, balance_micros=2 * 5 * (RATE + CAPTIONS), memo="")
    assert turn(on=True)["on"]
    set_balance(user=alice, balance_micros=1, memo="")
    assert turn(on=True, language="de-DE")["on"]  # nothing is turned on


@pytest.mark.parametrize(("balance", "expected"), [(0, 200), (-1, 402)])
def test_where_calls_need_no_money_captions_are_refused_below_zero_alone(
    leg,
    tell,
    turn,  # noqa: F811
    alice,
    settings,
    balance,
    expected,
):
    settings.MIN_CALL_BALANCE = 0
    leg(alice, "CA1")
    tell(1, "participant-join", "CA1")
    set_balance(user=alice, balance_micros=balance, memo="")
    turn(on=True, expected=expected)
