"""What somebody was told of one thing keeps nothing of another from them, nor from anybody else."""

import pytest

from groups.models import Device, Group, Invitation, Push
from groups.notifications.models import Notice, SandboxEmail
from groups.notifications.notices.delivering import deliver
from tests.conftest import person
from tests.neighbours import ours


@pytest.fixture
def invite(api, group, run_jobs):
    """Who was written to, because of these invitations."""

    def invite(user, group=group):
        ours(SandboxEmail).all().delete()
        assert api.post(f"/api/groups/{group.pk}/groupInvitees", {"userId": user.pk}).status_code == 201
        run_jobs()
        return [(email.to, email.subject) for email in ours(SandboxEmail).all()]

    return invite


def test_who_is_invited_to_two_groups_on_one_day_hears_of_both(invite, dave):
    assert invite(dave) == [("dave@example.com", "Somebody invited you to Family")]
    assert invite(dave, Group.objects.create(name="Choir")) == [("dave@example.com", "Somebody invited you to Choir")]


def test_two_people_who_are_invited_to_one_group_both_hear_of_it(invite, dave):
    assert [invite(user)[0][0] for user in (dave, person("Erin"))] == ["dave@example.com", "erin@example.com"]


def test_who_was_told_of_a_missed_call_hears_of_an_invitation_to_the_same_group(invite, group, dave):
    Notice.objects.create(user=dave, kind="missed", way="push", about="CF1", group=group, state="told")
    assert invite(dave) == [("dave@example.com", "Somebody invited you to Family")]


def test_who_declined_one_invitation_hears_of_the_other(api, run_jobs, group, dave):
    choir = Group.objects.create(name="Choir")
    for each in (group, choir):
        api.post(f"/api/groups/{each.pk}/groupInvitees", {"userId": dave.pk})
    api.delete(f"/api/groups/{group.pk}/groupInvitees/{dave.pk}")
    run_jobs()
    assert [email.subject for email in ours(SandboxEmail).all()] == ["Somebody invited you to Choir"]
    assert Invitation.objects.filter(user=dave).get().group_id == choir.pk


def test_who_left_the_group_is_not_told_of_its_call_though_they_are_in_another(run_jobs, group, dave):
    Group.objects.create(name="Choir").memberships.create(user=dave)
    notice = Notice.objects.create(user=dave, kind="missed", way="push", about="CF1", group=group)
    deliver.enqueue(notice.pk)
    run_jobs()
    notice.refresh_from_db()
    assert (notice.state, notice.why) == ("spared", "It is so no longer.")


def test_who_was_told_on_one_phone_of_two_was_told(api, apns_channel, apns_double, run_jobs, group, dave):
    for address in ("device-1", "no device of Apple's"):
        fields = {"identity": f"u_{dave.pk}", "binding_type": "apn", "sid": f"BS {address}"}
        Device.objects.create(user=dave, address=address, **fields)
    api.post(f"/api/groups/{group.pk}/groupInvitees", {"userId": dave.pk})
    run_jobs()
    assert (ours(Push).get().told, ours(Push).get().missed) == (1, 1)
    assert Notice.objects.get(way="push").state == "told"
