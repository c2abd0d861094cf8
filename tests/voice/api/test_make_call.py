import re
from xml.etree import ElementTree

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from django.utils import timezone

from billing.ledger import set_balance
from groups.models import Group
from tests.neighbours import ours
from tests.voice.conftest import sign
from voice.models import Call, HangUp

PATH = "/api/voice/makeCall"


@pytest.fixture
def call(twilio):
    return lambda to, **params: twilio(PATH, to=to, **params)


def conference(answer):
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    return ElementTree.fromstring(answer.content).find("Dial/Conference")  # our own answer


def spoken(answer):
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    return ElementTree.fromstring(answer.content).find("Say").text  # our own answer


def test_a_member_is_let_into_the_groups_conference(call, group, bob):
    room = conference(call(group.pk, From=f"client:u_{bob.pk}", CallSid="CA1"))
    leg = ours(Call).get()
    assert room.text == str(group.pk)
    assert room.attrib["participantLabel"] == f"leg_{leg.pk}"
    assert room.attrib["statusCallback"] == "http://localhost:3300/api/voice/conferenceEvents#rc=5&rp=all"
    assert room.attrib["statusCallbackEvent"] == "start end join leave mute hold announcement"
    assert (leg.user_id, leg.group_id) == (bob.pk, group.pk)


def test_asking_again_for_the_same_call_stores_it_once(call, group, bob):
    labels = {conference(call(group.pk, CallSid="CA1")).attrib["participantLabel"] for _ in range(3)}
    assert len(labels) == ours(Call).count() == 1


@pytest.mark.parametrize("sid", ["CA 1", "CA-1", "<CA1>", "A" * 65])
def test_what_is_no_sid_is_let_in_and_not_stored(call, group, sid):
    assert conference(call(group.pk, CallSid=sid)).text == str(group.pk)
    assert not ours(Call).exists()


@pytest.mark.parametrize(("source", "is_in"), [("event", False), ("answer", False), ("assumed", True)])
def test_a_call_of_which_twilio_has_said_that_it_has_ended_is_let_in_no_more(call, group, source, is_in):
    """What was only taken to have ended may go on."""
    call(group.pk, From="+12025550150", CallSid="CA1")
    ours(Call).update(end_time=timezone.now(), end_source=source)
    answer = call(group.pk, From="+12025550150", CallSid="CA1")
    assert (b"<Dial" in answer.content) is is_in


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_can_be_tried_by_hand(api, group, method):
    if method == "GET":
        assert conference(api.get(f"{PATH}?to={group.pk}")).text == str(group.pk)
    else:
        assert conference(api.post(PATH, {"to": group.pk})).text == str(group.pk)
    assert not ours(Call).exists()


def test_the_caller_id_and_a_time_limit_are_set(call, group):
    dial = ElementTree.fromstring(call(group.pk).content).find("Dial")  # our own answer
    assert dial.attrib == {"callerId": "+15005550006", "timeLimit": "14400"}


def test_without_a_group_it_says_so(api, db):
    assert spoken(api.post(PATH, {})) == "No group detected."
    assert spoken(api.get(PATH)) == "No group detected."


@pytest.mark.parametrize("to", ["abc", "-1", "1.5", "9" * 30, str(2**63), "<Say>x</Say>", "1\x00x", "٣", "é" * 999])
def test_a_hostile_group_is_refused_in_words(call, group, to):
    assert "not a group" in spoken(call(to))


def test_an_unknown_group_is_refused_in_words(call, db):
    assert "does not exist" in spoken(call("999"))


@pytest.fixture
def paid(settings):
    settings.MIN_CALL_BALANCE = 500_000


def test_too_little_credit_is_refused_in_words(call, group, paid):
    assert "not enough credit" in spoken(call(group.pk, CallSid="CA1"))
    assert not ours(Call).exists()


def test_the_longest_standing_owner_pays_and_the_balance_sets_the_limit(call, group, alice, paid):
    set_balance(user=alice, balance_micros=1_030_000, memo="")
    dial = ElementTree.fromstring(call(group.pk, CallSid="CA1").content).find("Dial")  # our own answer
    assert dial.attrib["timeLimit"] == str(100 * 60)  # $1.03 at $0.0103 a minute
    assert ours(Call).get().payer.user == alice


def test_who_is_on_and_asks_again_when_the_money_is_used_up_is_not_hung_up_on_for_that(
    call, group, alice, bob, paid, tell
):
    set_balance(user=alice, balance_micros=1_030_000, memo="")
    call(group.pk, From=f"client:u_{bob.pk}", CallSid="CA1")
    tell(1, "participant-join", "CA1")
    set_balance(user=alice, balance_micros=0, memo="")
    assert "not enough credit" in spoken(call(group.pk, From=f"client:u_{bob.pk}", CallSid="CA1"))
    assert not ours(HangUp).exists()


@pytest.mark.parametrize(("micros", "is_enough"), [(500_000, True), (499_999, False), (0, False)])
def test_the_least_balance_is_enough_and_no_less(call, group, alice, paid, micros, is_enough):
    set_balance(user=alice, balance_micros=micros, memo="")
    assert (b"<Dial" in call(group.pk, CallSid="CA1").content) is is_enough
    assert ours(Call).exists() is is_enough


def test_a_group_that_nobody_owns_pays_nothing(call, paid, db):
    group = Group.objects.create(name="Nobody's")
    assert conference(call(group.pk, CallSid="CA1")).text == str(group.pk)
    assert ours(Call).get().payer is None


def test_a_caller_who_names_nobody_is_let_in_anonymously(call, group):
    conference(call(group.pk, From=f"client:{group.pk}", CallSid="CA1"))
    assert ours(Call).get().user_id is None


def test_odd_parameters_are_kept_as_far_as_they_fit(call, group):
    conference(call(group.pk, From="x" * 999, To="\x00y", CallSid="CA1", Direction="z" * 99))
    assert re.fullmatch("x{255}", ours(Call).get().caller)


@pytest.mark.parametrize("signature", ["", "x", "é", "A" * 9999])
def test_a_wrong_signature_is_refused_even_by_the_sandbox(twilio, group, signature):
    answer = twilio(PATH, signature, to=group.pk)
    assert (answer.status_code, answer.json()["code"]) == (403, "signature_invalid")


def test_a_signature_over_the_path_with_its_slash_is_accepted(twilio, group):
    params = {"to": group.pk}
    assert twilio(f"{PATH}/", sign(f"{PATH}/", params), **params).status_code == 200
    assert twilio(f"{PATH}/", sign(PATH, params), **params).status_code == 200
    asked, caller = f"to={group.pk}", {"From": "client:x"}
    assert twilio(f"{PATH}?{asked}", sign(f"{PATH}/?{asked}", caller), **caller).status_code == 200


@pytest.mark.parametrize("beside", [{}, {"From": "client:x"}])
@pytest.mark.parametrize(("equals_sign", "status"), [("=", 200), ("", 403)])
def test_a_value_that_has_run_into_its_name_is_not_signed(api, group, beside, equals_sign, status):
    """To a signature, which is over names and values in one go, `to1` is what `to=1` is."""
    fields = [f"to{group.pk}{equals_sign}", *(f"{name}={value}" for name, value in beside.items())]
    answer = api.generic(
        "POST",
        PATH,
        "&".join(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": sign(PATH, {"to": group.pk, **beside})},
    )
    assert answer.status_code == status


def test_a_signature_for_another_host_is_refused_whatever_the_host_header_says(api, group):
    from twilio.request_validator import RequestValidator

    from voice.telephony.sandbox_telephony import secret

    forged = RequestValidator(secret("auth token")).compute_signature(f"http://testserver{PATH}", {"to": str(group.pk)})
    answer = api.generic(
        "POST",
        PATH,
        f"to={group.pk}",
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": forged},
    )
    assert answer.status_code == 403


def test_switched_off_it_says_what_is_missing(api, group, settings):
    settings.TELEPHONY = {}
    answer = api.post(PATH, {"to": group.pk})
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
    assert "ACCOUNT_SID" in answer.json()["detail"]


def test_with_twilio_configured_an_unsigned_request_is_refused(api, group, twilio_telephony):
    assert api.post(PATH, {"to": group.pk}).status_code == 403


@pytest.fixture
def failing(monkeypatch):
    """The database, or anything else of ours, fails when a call is to be let in."""

    def failing(fault):
        def fail(**_):
            raise fault

        monkeypatch.setattr("voice.api.views.admit", fail)

    return failing


@pytest.mark.parametrize(
    "fault", [OperationalError("gone"), InterfaceError("gone"), IntegrityError("x"), KeyError("x")]
)
def test_a_fault_of_ours_is_spoken(call, group, failing, fault):
    failing(fault)
    assert spoken(call(group.pk)) == "Something went wrong on our side. Please call again in a minute."


def test_a_forged_request_is_told_so_also_then(call, group, failing):
    failing(OperationalError("gone"))
    assert call(group.pk, signature="forged").status_code == 403


@pytest.mark.parametrize(
    ("identity", "is_known"), [("u_{}", True), ("u_0{}", False), ("u_{} ", False), ("u{}", False), ("U_{}", False)]
)
def test_one_form_of_an_identity_names_a_person_and_no_other(twilio, group, alice, identity, is_known):
    twilio("/api/voice/makeCall", to=group.pk, From=f"client:{identity.format(alice.pk)}", CallSid="CA1")
    assert (ours(Call).get().user_id == alice.pk) is is_known
