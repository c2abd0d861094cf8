"""Who loses their place on a call is hung up on: at Twilio, at once, and nobody else."""

import pytest

from groups.models import Group, Invitation, Membership, Ownership, Participant
from tests.access.conftest import signed_in  # noqa: F401  # a fixture
from tests.neighbours import ours
from users.models import User
from voice.models import Call, HangUp


@pytest.fixture
def path(group):
    return f"/api/groups/{group.pk}"


@pytest.fixture
def talk(line, committed, alice, bob):
    """Alice and Bob talk."""
    with committed():
        line.join(alice)
        line.join(bob)
    return line


@pytest.fixture
def delete(api, path, committed):
    """An owner's, or one's own: in open mode everybody may."""

    def delete(end):
        with committed():
            answer = api.delete(f"{path}/{end}")
        assert answer.status_code == 200
        return answer.json()

    return delete


@pytest.mark.parametrize("people", ["groupMembers", "callParticipants"])
def test_who_is_taken_off_is_hung_up_on_and_the_others_talk_on(talk, delete, bob, people):
    delete(f"{people}/{bob.pk}")
    assert talk.ended() == ["Bob"]


@pytest.mark.parametrize("people", ["groupMembers", "callParticipants"])
def test_also_between_being_let_in_and_joining(line, delete, bob, people):
    line.call(bob)
    delete(f"{people}/{bob.pk}")
    assert line.ended() == ["Bob"]


def test_all_their_phones_are(talk, delete, bob, committed):
    talk.join(bob, "Bob's tablet")
    talk.call(bob, "Bob's kitchen")
    delete(f"callParticipants/{bob.pk}")
    assert talk.ended() == ["Bob", "Bob's kitchen", "Bob's tablet"]


@pytest.mark.parametrize("people", ["groupMembers", "callParticipants"])
def test_their_phones_in_another_group_are_not(talk, delete, twilio, twilio_double, bob, people):
    work = Group.objects.create(name="Work")
    Membership.objects.create(group=work, user=bob)
    sid = twilio_double.call(status="in-progress")
    assert b"<Dial" in twilio("/api/voice/makeCall", to=work.pk, From=f"client:u_{bob.pk}", CallSid=sid).content
    delete(f"{people}/{bob.pk}")
    assert (talk.ended(), twilio_double.calls[sid]["status"]) == (["Bob"], "in-progress")


def test_who_was_taken_off_the_call_may_call_again(talk, delete, bob, committed, reconcile):
    delete(f"callParticipants/{bob.pk}")
    with committed():
        talk.join(bob, "Bob again")
    reconcile()
    assert talk.ended() == ["Bob"]


def test_an_owner_who_stops_being_one_and_is_no_member_is(talk, delete, group, bob):
    Ownership.objects.create(group=group, user=bob)
    Membership.objects.filter(user=bob).delete()
    delete(f"groupOwners/{bob.pk}")
    assert talk.ended() == ["Bob"]


def test_an_owner_who_stays_a_member_is_not(talk, delete, group, alice, bob):
    Ownership.objects.create(group=group, user=bob)
    delete(f"groupOwners/{alice.pk}")
    delete(f"groupMembers/{bob.pk}")
    assert talk.ended() == []


def test_who_declines_or_is_uninvited_is(talk, delete, committed, carol):
    with committed():
        talk.join(carol)
    delete(f"groupInvitees/{carol.pk}")
    assert talk.ended() == ["Carol"]


def test_who_accepts_is_not(talk, api, path, delete, committed, carol):
    with committed():
        talk.join(carol)
        assert api.post(f"{path}/groupMembers", {"userId": carol.pk}).status_code == 201
    delete(f"groupInvitees/{carol.pk}")
    assert not ours(Invitation).exists()
    assert talk.ended() == []


def test_an_owner_who_removes_others_is_heard_where_people_sign_in(talk, path, committed, signed_in, alice, bob):  # noqa: F811
    with committed():
        assert signed_in(alice).delete(f"{path}/groupMembers/{bob.pk}").status_code == 200
    assert talk.ended() == ["Bob"]


@pytest.mark.parametrize("people", ["groupMembers", "callParticipants"])
def test_oneself_is_too(talk, path, committed, signed_in, bob, people):  # noqa: F811
    with committed():
        assert signed_in(bob).delete(f"{path}/{people}/{bob.pk}").status_code == 200
    assert talk.ended() == ["Bob"]


def test_clearing_the_list_ends_the_call_for_everybody(talk, delete, twilio, twilio_double, group, bob):
    talk.call(bob, "Bob's tablet")
    talk.sids["a guest"] = twilio_double.call(status="in-progress")
    twilio("/api/voice/makeCall", to=group.pk, From="client:guest", CallSid=talk.sids["a guest"])
    assert delete("callParticipants") == {"count": "2 user(s) removed from participants"}
    assert talk.ended() == ["Alice", "Bob", "Bob's tablet", "a guest"]


def test_one_leg_is_asked_to_end_once(talk, delete, twilio_double, group, bob):
    delete(f"callParticipants/{bob.pk}")
    delete(f"groupMembers/{bob.pk}")
    delete("callParticipants")
    assert len(twilio_double.sent("POST", ".*/Calls/.*")) == ours(HangUp).count() == 2


def test_whose_phone_has_ended_needs_no_twilio(talk, delete, twilio, twilio_double, bob):
    twilio("/api/voice/callEvents", CallSid=talk.sids["Bob"], CallStatus="completed")
    asked = len(twilio_double.requests)
    delete(f"groupMembers/{bob.pk}")
    assert len(twilio_double.requests) == asked


def test_who_hangs_up_one_phone_is_not_hung_up_on_with_the_other(talk, committed, twilio, tell, bob):
    with committed():
        talk.call(bob, "Bob's tablet")
        tell(3, "participant-leave", talk.sids["Bob"])
        twilio("/api/voice/callEvents", CallSid=talk.sids["Bob"], CallStatus="completed")
    assert not Participant.objects.filter(user=bob).exists()
    assert talk.ended() == []


# People and groups that end


def save(user):
    user.is_active = False
    user.save()


@pytest.mark.parametrize("end", [save, User.delete], ids=["disabled", "deleted"])
def test_a_person_who_ends_is_hung_up_on(talk, committed, bob, end):
    with committed():
        end(bob)
    assert talk.ended() == ["Bob"]


def test_several_people_deleted_at_once_are(talk, committed, group):
    with committed():
        ours(User).all().delete()
    assert talk.ended() == ["Alice", "Bob"]
    assert not ours(Group).exists()


def test_a_deleted_groups_people_are(talk, committed, api, path, bob):
    talk.call(bob, "Bob's tablet")
    with committed():
        api.delete(path)
    assert talk.ended() == ["Alice", "Bob", "Bob's tablet"]
    assert set(ours(HangUp).values_list("why", flat=True)) == {"group_gone"}


# Who joins


@pytest.fixture
def slip_in(line, committed, tell):
    """Somebody was let in just before `end` took their place, which did not see them; now they join."""

    def slip_in(user, end):
        fields = dict(Call.objects.filter(sid=line.call(user)).values("user_id", "group_id").get())
        Call.objects.filter(sid=line.sids[user.display_name]).delete()
        with committed():
            end()
        Call.objects.create(sid=line.sids[user.display_name], **fields)
        with committed():
            tell(line.joined + 1, "participant-join", line.sids[user.display_name])
        return line.ended()

    return slip_in


@pytest.mark.parametrize(
    "end",
    [
        lambda: ours(Group).all().delete(),
        lambda: User.objects.filter(display_name="Bob").update(is_active=False),
        lambda: User.objects.filter(display_name="Bob").delete(),
    ],
    ids=["group", "disabled", "deleted"],
)
def test_who_joins_and_may_not_be_on_any_more_is_hung_up_on(slip_in, bob, end):
    assert slip_in(bob, end) == ["Bob"]


def test_who_joins_without_a_part_is_where_people_sign_in(slip_in, sign_in, bob):
    assert slip_in(bob, Membership.objects.filter(user=bob).delete) == ["Bob"]


def test_in_open_mode_everybody_may_join(slip_in, bob):
    assert slip_in(bob, Membership.objects.filter(user=bob).delete) == []


def test_a_lively_call_does_not_keep_a_deleted_groups_late_caller_on(talk, slip_in, group, carol):
    assert slip_in(carol, group.delete) == ["Alice", "Bob", "Carol"]
