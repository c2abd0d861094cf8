"""What an operator does to somebody has a reason, which stands in the history of what it touches."""

import pytest
from django.contrib.admin.models import LogEntry

from core.jobs.models import Job
from groups.models import Group
from tests.admin.conftest import Browser, read_form, text
from users.models import User
from voice.models import Call

ASKS = "Say why, for the history."
PEOPLE, GROUPS, JOBS, CALLS = "/admin/users/user/", "/admin/groups/group/", "/admin/jobs/job/", "/admin/voice/call/"


def done():
    return [(entry.object_id, entry.get_change_message()) for entry in LogEntry.objects.order_by("pk")]


@pytest.fixture
def acts(bob, group):
    """Where each is sent, what is sent, the row that it touches, and what then stands in its history."""
    User.objects.filter(pk=bob.pk).update(oidc_issuer="https://i.example.com", oidc_subject="1")
    job = Job.objects.create(task="a", state=Job.State.DEAD)
    leg = Call.objects.create(sid="CA1", is_on=True, group_id=group.pk)
    chosen, together = {"_selected_action": bob.pk}, {"action": "delete_selected", "_selected_action": group.pk}
    return {
        "a deletion": (f"{PEOPLE}{bob.pk}/delete/", {"post": "yes"}, bob, "Deleted:"),
        "deletions": (GROUPS, {**together, "post": "yes"}, group, "Deleted:"),
        "a sign-in that is unbound": (PEOPLE, {"action": "unbind_sign_in", **chosen}, bob, "Unbound the sign-in."),
        "sessions that are ended": (PEOPLE, {"action": "end_sessions", **chosen}, bob, "Ended the sessions."),
        "a job": (JOBS, {"action": "try_again", "_selected_action": job.pk}, job, "Tried again."),
        "a phone": (f"{CALLS}running/act/", {"act": f"remove {leg.pk}"}, leg, "This phone is hung up on."),
    }


ACTS = ("a deletion", "deletions", "a sign-in that is unbound", "sessions that are ended", "a job", "a phone")


@pytest.mark.parametrize("name", ACTS)
def test_it_waits_for_a_reason_and_is_written_down_with_it(browser: Browser, acts, name):
    path, form, row, words = acts[name]
    before = type(row).objects.values().get(pk=row.pk)
    for wrong in ({}, {"why": " "}, {"why": "x" * 201}):
        page = browser.post(path, {**form, **wrong})
        assert (ASKS in text(page), "Write a reason" in text(page)) == (True, bool(wrong))
    assert (done(), type(row).objects.values().get(pk=row.pk)) == ([], before)
    answer = browser.post(path, {**read_form(page), "why": " She asked for it, by telephone. "}, follow=True)
    assert (answer.status_code, ASKS in text(answer)) == (200, False)
    assert done() == [(str(row.pk), f"{words} She asked for it, by telephone.")]


def test_the_page_of_calls_that_are_on_asks_by_itself(browser: Browser, acts):
    assert 'name="why"' in text(browser.get(f"{CALLS}running/"))


def test_of_whom_it_says_why_it_names_nobody_when_they_are_gone(browser: Browser, bob, carol):
    """Carol is named elsewhere: there it may be somebody else."""
    Group.objects.create(name="Choir")
    browser.post(PEOPLE, {"action": "end_sessions", "_selected_action": bob.pk, "why": "Bob, bob@example.com, called"})
    browser.post(PEOPLE, {"action": "end_sessions", "_selected_action": carol.pk, "why": "As Bob does"})
    browser.post(f"{PEOPLE}{bob.pk}/delete/", {"post": "yes", "why": "Bob wants to go"})
    assert done() == [
        (str(bob.pk), "Ended the sessions. deleted person, deleted person, called"),
        (str(carol.pk), "Ended the sessions. As Bob does"),
        (str(bob.pk), "Deleted: deleted person wants to go"),
    ]
