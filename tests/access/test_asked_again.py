"""A part that ends while a write waits for a lock counts no more: every write of the matrix, and those beside it."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client as Browser
from django.urls import reverse

from billing.ledger import account_of, post_entry
from billing.models import Account, LedgerEntry, TopUp
from core.jobs.models import Job
from groups.models import PARTS, Group, Membership
from groups.services import lock_group
from tests.access.operations import PRIVATE_OPERATIONS
from tests.access.rows import all_rows, changed
from tests.access.test_matrix import photo
from tests.admin.conftest import read_form
from tests.admin.test_settle_action import ENDED
from tests.billing.conftest import paid  # noqa: F401  # a fixture
from tests.conftest import Client
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from uploads import images
from users.models import Export, User
from voice.models import Call, Conference
from voicechat.export import views

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_postgresql", "_photo")]

PEOPLE, JOBS, RUNNING = "/admin/users/user/", "/admin/jobs/job/", "/admin/voice/call/running/act/"
PLACES = images.places._value
BESIDE = ("/api/users {", "Charges", "DefaultSource {{", "otification {", "/api/upload", "/api/live/")
"""What writes nothing of ours, or takes no lock: signing up again, sums, telling devices, a ticket, which opens nothing
to who is disabled; and uploads, below."""
LEAVES_CALL = 'PUT /api/users/{member} {"callStatus": false}'
"""Changes nothing of another person, and so waits for nothing."""
WRITES = [
    each for each in PRIVATE_OPERATIONS if each.method != "GET" and not any(part in str(each) for part in BESIDE)
] + [each for each in PRIVATE_OPERATIONS if "updateDefaultSource" in each.path]


def succeeds(operation, caller):
    return operation.cells[caller].strip("=") in ("200", "201", "202")


def lock_everything():
    """So that a write waits, whichever lock is its first."""
    for model in (Account, Group, User, Job, Call):
        list(model.objects.order_by("pk").select_for_update().values_list("pk"))


@pytest.fixture
def meet(tokens, names):
    """What a caller is answered whose part ends while they wait, and which tables have changed beside."""

    def meet(operation, caller, *, end, undo, headers=None):
        answers, known = [], names(caller)
        headers = {"Authorization": f"Bearer {tokens[caller]}", **(headers or {})}
        body = {"data": operation.body_for(known)} if operation.body else {}
        send = getattr(Client(raise_request_exception=False), operation.method.lower())
        before = all_rows(but="version")
        at_once(
            lambda: (lock_everything(), end()),
            lambda: answers.append(send(operation.path_for(known), headers=headers, **body)),
        )
        undo()
        return answers[0].status_code, changed(before, all_rows(but="version"))

    return meet


def setting(user, **fields):
    rows = User.objects.filter(pk=user.pk)
    old = rows.values(*fields).get()
    return {"end": lambda: rows.update(**fields), "undo": lambda: rows.update(**old)}


def of_removed(user):
    rows = [row for part in PARTS for row in part.objects.filter(user=user)]
    return {
        "end": lambda: [type(row).objects.filter(pk=row.pk)._raw_delete("default") for row in rows],
        "undo": lambda: [row.save(force_insert=True) for row in rows],
    }


def faults(meet, operations, caller, ending, expected, **kwargs):
    """The operations that are answered otherwise, or have changed something."""
    found = {}
    for operation in operations:
        answer = meet(operation, caller, **ending(), **kwargs)
        if answer != (expected(operation), []):
            found[str(operation)] = answer
    return found


CONDITIONAL = [{}, {"If-Match": "*"}]


def conditional(operations, headers):
    """With If-Match those that have a GET at their address."""
    readable = {each.path for each in PRIVATE_OPERATIONS if each.method == "GET"}
    return [each for each in operations if not headers or (each.method in ("PUT", "DELETE") and each.path in readable)]


@pytest.mark.parametrize("headers", CONDITIONAL, ids=["", "If-Match"])
def test_who_is_disabled_while_they_wait_changes_nothing(meet, bound, headers):
    own = [each for each in WRITES if succeeds(each, "owner") and str(each) != LEAVES_CALL]
    operations = conditional(own, headers)
    assert len(operations) > (3 if headers else 20)
    ending = lambda: setting(bound["owner"], is_active=False)  # noqa: E731  # made anew each time
    assert faults(meet, operations, "owner", ending, lambda _: 403, headers=headers) == {}


@pytest.mark.parametrize("headers", CONDITIONAL, ids=["", "If-Match"])
def test_staff_who_are_it_no_more_when_their_turn_comes_are_strangers(meet, bound, headers):
    operations = [each for each in WRITES if succeeds(each, "staff") and not succeeds(each, "stranger")]
    operations = conditional(operations, headers)
    assert len(operations) > (5 if headers else 20)
    ending = lambda: setting(bound["staff"], is_staff=False)  # noqa: E731  # as above
    assert faults(meet, operations, "staff", ending, stranger_is_answered, headers=headers) == {}


def test_staff_who_are_it_no_more_take_nobody_off_a_call(meet, bound):
    operation = next(each for each in PRIVATE_OPERATIONS if str(each) == LEAVES_CALL)
    bob = User.objects.get(display_name="Bob")
    User.objects.filter(pk=bob.pk).update(call_status=True)
    assert meet(operation, "staff", **setting(bound["staff"], is_staff=False)) == (200, [])
    assert User.objects.get(pk=bob.pk).call_status


@pytest.mark.parametrize("headers", CONDITIONAL, ids=["", "If-Match"])
def test_who_is_put_out_of_the_group_while_they_wait_is_a_stranger(meet, bound, headers):
    operations = [each for each in WRITES if succeeds(each, "owner") and not succeeds(each, "stranger")]
    operations = conditional(operations, headers)
    assert len(operations) > (2 if headers else 10)
    ending = lambda: of_removed(bound["owner"])  # noqa: E731  # as above
    assert faults(meet, operations, "owner", ending, stranger_is_answered, headers=headers) == {}


def stranger_is_answered(operation):
    return int(operation.cells["stranger"].strip("="))


@pytest.mark.parametrize(
    "fields",
    [
        {"oidc_issuer": None, "oidc_subject": None},
        {"oidc_subject": "auth0|of-another"},
        {"oidc_issuer": "https://another.example"},
    ],
    ids=["", "and another is bound", "and one of another issuer is bound"],
)
def test_a_sign_in_that_is_unbound_meanwhile_counts_no_more(meet, bound, fields):
    rename = next(each for each in WRITES if str(each).startswith("PUT /api/groups/{group} "))
    assert meet(rename, "owner", **setting(bound["owner"], **fields)) == (403, [])


def test_who_is_disabled_while_their_picture_waits_stores_nothing(issuer, signed_in, alice, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    client, answers = signed_in(alice), []

    def upload():
        try:
            answers.append(client.post("/api/upload", photo(), format="multipart"))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with images.turn:  # as an upload that is being drawn
            waiting = pool.submit(upload)
            while images.places._value == PLACES:
                time.sleep(0.01)
            User.objects.filter(pk=alice.pk).update(is_active=False)
        waiting.result()
    assert answers[0].json()["code"] == "account_disabled"
    assert not settings.MEDIA_ROOT.exists()


def test_who_is_disabled_while_their_large_export_waits_has_none_made(issuer, signed_in, alice, monkeypatch):
    monkeypatch.setattr(views, "MOST_AT_ONCE", 0)
    client, answers = signed_in(alice), []
    at_once(
        lambda: (lock_everything(), User.objects.filter(pk=alice.pk).update(is_active=False)),
        lambda: answers.append(client.get(f"/api/users/{alice.pk}/export")),
    )
    assert answers[0].json()["code"] == "account_disabled"
    assert not ours(Export).exists()


def test_who_is_put_out_while_their_call_waits_for_the_account_is_not_let_in(
    issuer, twilio, settings, group, alice, bob
):
    settings.MIN_CALL_BALANCE = 500_000
    account = account_of(alice)
    post_entry(account=account, kind=LedgerEntry.Kind.TOP_UP, amount_micros=10**7, reference="stripe:pi_1", memo="")
    answers = []
    at_once(
        lambda: (lock_everything(), Membership.objects.filter(user=bob)._raw_delete("default")),
        lambda: answers.append(twilio("/api/voice/makeCall", to=group.pk, From=f"client:u_{bob.pk}", CallSid="CA1")),
    )
    assert b"<Dial" not in answers[0].content
    assert b"not a member" in answers[0].content


@pytest.fixture
def operator(alice):
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    return User.objects.get(pk=alice.pk)


@pytest.fixture
def browser(operator):
    browser = Browser(raise_request_exception=False)
    browser.force_login(operator)
    return browser


FORM = {"name": "New", "phone_number": ""} | {
    f"{name}-{field}": "0"
    for name in ("ownerships", "memberships", "invitations", "participants")
    for field in ("TOTAL_FORMS", "INITIAL_FORMS")
}
ADMIN = {
    "a group that is renamed": ("groups_group_change", FORM),
    "a group that is deleted": ("groups_group_delete", {"post": "yes", "why": "Over"}),
}


@pytest.mark.parametrize("lost", ["is_staff", "is_active", "is_superuser"])
@pytest.mark.parametrize(("page", "form"), ADMIN.values(), ids=ADMIN)
def test_an_operator_who_is_it_no_more_changes_nothing(browser, operator, group, page, form, lost):
    answers, before = [], all_rows(but="version")

    def end():
        lock_group(group.pk)
        User.objects.filter(pk=operator.pk).update(**{lost: False})

    at_once(end, lambda: answers.append(browser.post(reverse(f"admin:{page}", args=[group.pk]), form)))
    assert answers[0].status_code == 403
    assert changed(before, all_rows(but="version")) == ["users"]


LOST = pytest.mark.parametrize("lost", ["is_staff", "is_superuser"])
"""The admin, or the right alone: staff who are no superusers have none here."""


@LOST
def test_an_operator_who_is_it_no_more_deletes_no_selection(browser, operator, group, lost):
    form = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes", "why": "Over"}
    answers, before = [], all_rows(but="version")

    def end():
        lock_group(group.pk)
        User.objects.filter(pk=operator.pk).update(**{lost: False})

    at_once(end, lambda: answers.append(browser.post(reverse("admin:groups_group_changelist"), form)))
    assert answers[0].status_code == 403
    assert changed(before, all_rows(but="version")) == ["users"]


@pytest.fixture
def forms(browser, paid, alice, bob, group):  # noqa: F811  # a fixture
    """Forms that move money or change a person, filled in: where each is posted, and what."""
    account = account_of(alice)
    call = Call.objects.create(sid="CA1", payer=account, group_id=group.pk, **ENDED)
    talk = Conference.objects.create(sid="CF1", group_id=group.pk)
    on_now = Call.objects.create(sid="CA2", group_id=group.pk, conference=talk, is_on=True)
    top_up = {"top_up": ours(TopUp).get().pk, "amount": "5"}
    written = {
        "adjust": ("billing_account_adjust", account, {"amount": "5", "reason": "A present"}),
        "refund": ("billing_account_refund", account, top_up),
        "settle": ("voice_call_settle", call, {"amount": "1.25", "reason": "The line was dead"}),
        "rename": ("users_user_change", bob, {"display_name": "New"}),
        "delete": ("users_user_delete", bob, {"post": "yes", "why": "Over"}),
        "password": ("auth_user_password_change", bob, {"password1": "correct horse", "password2": "correct horse"}),
    }
    paths = {name: (reverse(f"admin:{page}", args=[row.pk]), form) for name, (page, row, form) in written.items()}
    filled = {name: (path, {**read_form(browser.get(path)), **form}) for name, (path, form) in paths.items()}
    selected = {"_selected_action": [bob.pk], "post": "yes", "why": "Over"}
    given_up = Job.objects.create(task="voice.hang_ups.end_leg", arguments="[[1], {}]", state=Job.State.DEAD)
    people = {name: (PEOPLE, {"action": name, **selected}) for name in ("delete_selected", "unbind_sign_in")}
    running = {"end": (RUNNING, {"act": f"end {on_now.pk}", "why": "Over"})}
    jobs = {"try_again": (JOBS, {"action": "try_again", "_selected_action": [given_up.pk], "why": "Over"})}
    return filled | people | running | jobs


FORMS = (
    *("adjust", "refund", "settle", "rename", "delete", "password", "delete_selected", "unbind_sign_in"),
    *("end", "try_again"),
)


@LOST
@pytest.mark.parametrize("name", FORMS)
def test_an_operator_who_is_it_no_more_moves_no_money_and_changes_nobody(
    forms, browser, operator, stripe_double, name, lost
):
    User.objects.filter(display_name="Bob").update(oidc_issuer="https://former.example.com", oidc_subject="former|1")
    path, form = forms[name]
    answers, before, books = [], all_rows(but="version"), list(stripe_double.books)

    def end():
        lock_everything()
        User.objects.filter(pk=operator.pk).update(**{lost: False})

    at_once(end, lambda: answers.append(browser.post(path, form)))
    User.objects.filter(pk=operator.pk).update(**{lost: True})
    assert answers[0].status_code == (400 if name == "password" else 403)  # it began a new session, which is undone
    assert (changed(before, all_rows(but="version")), stripe_double.books) == ([], books)


@pytest.mark.parametrize("name", FORMS)
def test_while_they_are_it_the_same_forms_do_what_they_say(forms, browser, name):
    User.objects.filter(display_name="Bob").update(oidc_issuer="https://former.example.com", oidc_subject="former|1")
    path, form = forms[name]
    before = all_rows(but="version")
    assert browser.post(path, form).status_code == 302
    assert changed(before, all_rows(but="version")) != []
