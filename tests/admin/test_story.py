"""One person's whole story on one page: of each kind of rows the newest, and links to all of them."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.ledger import account_of, post_entry
from billing.models import Card, CardRefusal, Dispute, LedgerEntry, RefundRequest, TopUp
from groups.models import Activity, Device, Group, Invitation, InvitationLink, Membership, Ownership
from groups.notifications.models import Notice
from tests.admin.conftest import delete, text
from users.models import Erasure, Export, NotificationChoices, StreamTicket, User, VendorDeletion, VerifiedNumber
from voice.models import Call

NOW = timezone.now()
LATER = NOW + timedelta(minutes=5)


def story(browser, person_id):
    return browser.get(f"/admin/users/user/{person_id}/story/")


def parts(page):
    """The rows of each part, as words."""
    found = re.findall(r'<div class="part">\s*<h3>(.*?)</h3>(.*?)</table>', page, re.DOTALL)
    nothing = "; ".join(re.findall(r"<p>Nothing: (.*?)\.</p>", page)).split("; ")
    rows = {title: re.findall(r"<tr>(<td>.*?)</tr>", body, re.DOTALL) for title, body in found}
    words = {title: [re.sub(r"<[^>]+>", " ", row) for row in theirs] for title, theirs in rows.items()}
    there = {title: [" ".join(unescape(row).split()) for row in theirs] for title, theirs in words.items()}
    return {**there, **{title: [] for title in nothing}}


@pytest.fixture
def lived(alice, bob):
    """Alice, of whom there is something of everything; and beside it the same of Bob."""
    family = Group.objects.create(name="Family")
    for number, person in ((1, alice), (2, bob)):
        own = Group.objects.create(name=f"Choir {number}")
        Ownership.objects.create(group=own, user=person)
        Membership.objects.create(group=family, user=person)
        other = Group.objects.create(name=f"Club {number}")
        Invitation.objects.create(group=other, user=person, invited_by=bob)
        InvitationLink.objects.create(
            group=own, made_by=person, digest=f"d{number}", nonce="n", max_uses=number, expires_at=LATER
        )
        Activity.objects.create(group=own, user=person, activity=f"Sang {number}")
        account = account_of(person)
        kinds = {"account": account, "amount_cents": number * 100}
        entry = post_entry(
            account=account, kind="top_up", amount_micros=number * 20_000_000, reference=f"stripe:{number}", memo="Card"
        )
        paid = TopUp.objects.create(status="succeeded", entry=entry, payment=f"pi_{number}", **kinds)
        TopUp.objects.create(status="pending", payment=f"pi_open{number}", **kinds)
        RefundRequest.objects.create(key=f"key{number}", top_up=paid, **kinds)
        RefundRequest.objects.create(key=f"made{number}", top_up=paid, status="made", **kinds)
        Dispute.objects.create(id=f"du_{number}", payment=f"pi_{number}", status="needs_response", **kinds)
        Card.objects.create(
            id=f"pm_{number}", user=person, brand="visa", last4=f"424{number}", exp_month=3, exp_year=2034
        )
        CardRefusal.objects.create(user=person, who="a", amount_cents=number * 100, why=f"Declined {number}")
        Call.objects.create(
            sid=f"CA{number}",
            user_id=person.pk,
            group_id=own.pk,
            payer=account,
            start_time=NOW,
            duration=number * 60,
            charged_micros=number * 20_000,
            captions_micros=number * 5_000,
        )
        Device.objects.create(
            user=person, identity=f"u_{number}", address=f"a{number}", binding_type="apn", endpoint="e", sid="BS"
        )
        Notice.objects.create(user=person, group=own, kind="invited", about="1", way="sms", why=f"Why {number}")
        NotificationChoices.objects.create(user=person, sms=number == 1)
        VerifiedNumber.objects.create(user=person, number=f"+1202555012{number}", verified_at=NOW)
        StreamTicket.objects.create(digest=f"t{number}", user=person, until=LATER)
        Export.objects.create(user=person)
    User.objects.filter(pk=alice.pk).update(oidc_issuer="https://sign-in.example.com", oidc_subject="auth0|alice")
    return alice


def of_others(lived, bob):
    """What stands in no story of theirs: who is gone, what operators did to Bob, and to whatever has the same id."""
    Erasure.objects.create(person_id=505505)
    VendorDeletion.objects.create(kind="picture", name="image1", person_id=505505)
    things = ContentType.objects.get_for_model(VendorDeletion)
    root, people = User.objects.get(email="root@example.com"), ContentType.objects.get_for_model(User)
    namesake = ContentType.objects.create(app_label="elsewhere", model="user")
    same_id = [(kind, lived.pk) for kind in (ContentType.objects.get_for_model(Group), things, namesake)]
    for kind, number in ((people, bob.pk), *same_id):
        LogEntry.objects.create(user=root, content_type=kind, object_id=str(number), action_flag=CHANGE)


def test_all_that_is_kept_about_somebody_stands_on_one_page(browser, lived, bob):
    browser.post(
        f"/admin/users/user/{lived.pk}/change/",
        {**browser.form(f"/admin/users/user/{lived.pk}/change/"), "last_name": "Lee"},
    )
    of_others(lived, bob)
    page = text(story(browser, lived.pk))
    assert ("alice@example.com" in page.partition("</h2>")[0], "deleted person" in page) == (True, False)
    shown = parts(page)
    says = {
        "Owner of": "Choir 1",
        "Member of": "Family",
        "Invited to": "Club 1",
        "Invitation links of theirs": "0 of 1",
        "What they did": "Sang 1",
        "Calls": "Choir 1 1 min $0.025",
        "Account": "$20.00",
        "Movements of money": "$20.00 $20.00 Card",
        "Payments that are open": "$1.00 Pending pi_open1",
        "Refunds that are open": "$1.00",
        "Disputes that are open": "$1.00 needs_response pi_1",
        "Cards": "visa 4241 03/2034 no",
        "Refused cards": "$1.00 Declined 1",
        "Phones and browsers": "APNs",
        "What they were told": "Why 1",
        "How they want to be told": "yes yes yes",
        "Verified number": "+12025550121",
        "Sign-in": "https://sign-in.example.com auth0|alice yes",
        "Exports that are kept": "not yet",
        "By operators, on their page": "Changed Last name.",
    }
    empty = {
        *("Has invited", "Code that is waited for", "Deleted here", "Vendors have yet to delete"),
        "By this person, as an operator",
    }
    assert {title for title, rows in shown.items() if not rows} == empty
    assert {title: rows for title, rows in shown.items() if len(rows) != 1} == {title: [] for title in empty}
    assert {title: rows for title, rows in shown.items() if says.get(title, "") not in " ".join(rows)} == {}
    assert "root@example.com" in shown["By operators, on their page"][0]


def test_each_link_to_all_leads_to_their_rows_alone(browser, lived):
    page = text(story(browser, lived.pk))
    addresses = {unescape(address) for address in re.findall(r'<p><a href="([^"]+)">All', page)}
    assert len(addresses) >= 13
    for address in addresses:
        shown = browser.get(address)
        assert (shown.status_code, "bob@example.com" in text(shown)) == (200, False), address


def test_of_many_rows_the_newest_are_shown_by_as_many_queries(browser, alice):
    with CaptureQueriesContext(
        connection,
    ) as few:
        story(browser, alice.pk)
    account = account_of(alice)
    for number in range(7):
        group = Group.objects.create(name=f"Choir {number}")
        Ownership.objects.create(group=group, user=alice)
        InvitationLink.objects.create(
            group=group, made_by=alice, digest=f"{number}", nonce="n", max_uses=1, expires_at=LATER
        )
        Activity.objects.create(group=group, user=alice, activity=f"Sang {number}")
        Call.objects.create(sid=f"CA{number}", user_id=alice.pk, group_id=group.pk, payer=account)
        Notice.objects.create(user=alice, group=group, kind="invited", about=str(number), way="sms")
        LedgerEntry.objects.create(
            account=account,
            kind="call",
            amount_micros=-1,
            balance_after_micros=0,
            reference=f"twilio:{number}",
            memo="",
        )
        asked = {"account": account, "amount_cents": number + 1, "created_at": NOW + timedelta(seconds=number)}
        paid = TopUp.objects.create(status="consent", **asked)
        RefundRequest.objects.create(key=f"key{9 - number}", top_up=paid, **asked)
        Dispute.objects.create(id=f"du_{9 - number}", payment=f"pi_{number}", status="needs_response", **asked)
    with CaptureQueriesContext(connection) as many:
        page = text(story(browser, alice.pk))
    assert len(many) == len(few) < 40
    shown = parts(page)
    assert [row.split()[-4:-3] for row in shown["What they did"]] == [[f"{number}"] for number in (6, 5, 4, 3, 2)]
    for title in ("Payments that are open", "Refunds that are open", "Disputes that are open"):
        assert re.findall(r"\$0\.0(\d)", " ".join(shown[title])) == ["7", "6", "5", "4", "3"], title
    assert {title: len(rows) for title, rows in shown.items() if len(rows) > 1} == dict.fromkeys(
        (
            "Owner of",
            "Invitation links of theirs",
            "What they did",
            "Calls",
            "Movements of money",
            "Payments that are open",
            "Refunds that are open",
            "Disputes that are open",
            "What they were told",
        ),
        5,
    )
    assert page.count("There are more.") == 1  # links of invitations have no list


@pytest.mark.parametrize(
    ("rights", "sections"),
    [
        (("view_user",), ["Telephones and sign-in", "Done"]),
        (("view_user", "change_call"), ["Calls", "Telephones and sign-in", "Done"]),
        (("view_user", "view_card", "view_notice"), ["Money", "What they were told", "Telephones and sign-in", "Done"]),
    ],
)
def test_what_an_operator_may_not_look_at_is_not_shown(client, lived, rights, sections):
    helper = User.objects.create(email="helper@example.com", display_name="Helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(helper)
    page = text(story(client, lived.pk))
    assert re.findall(r'<h2 id="section-\d+">(.*?)</h2>', page) == sections
    assert [words for words in ("$20.00", "Choir 1", "+12025550121") if words in page] == (
        ["Choir 1"] if len(sections) > 2 else []
    )
    helper.user_permissions.set(Permission.objects.filter(codename="view_call"))
    assert story(client, lived.pk).status_code == 403


def test_of_who_is_gone_what_has_stayed_is_shown(browser, lived):
    gone = lived.pk
    delete(browser, lived)
    browser.get("/admin/")  # which says that it was done
    VendorDeletion.objects.get_or_create(kind="picture", name="an image", defaults={"person_id": gone})
    page = text(story(browser, gone))
    assert f"deleted person {gone}" in page
    assert "alice@example.com" not in page
    assert {title for title, rows in parts(page).items() if rows} >= {
        "Deleted here",
        "Vendors have yet to delete",
        "Calls",
    }


@pytest.mark.parametrize("nobody", [404404, 10**30])
def test_nobody_has_no_story(browser, nobody):
    Erasure.objects.create(person_id=505505)
    assert story(browser, nobody).status_code == 404
    assert Erasure.objects.get().person_id == 505505


def test_the_persons_page_leads_there(browser, alice):
    page = text(browser.get(f"/admin/users/user/{alice.pk}/change/"))
    assert f'href="/admin/users/user/{alice.pk}/story/"' in page


def test_a_card_that_was_refused_before_any_amount_was_named_is_told_too(browser, alice):
    CardRefusal.objects.create(user=alice, who="a", amount_cents=None, why="Expired")
    CardRefusal.objects.create(user=alice, who="a", amount_cents=700, why="Declined")
    told = parts(text(story(browser, alice.pk)))["Refused cards"]
    assert ("$7.00 Declined" in told[0], told[1].endswith("Expired"), "$" in told[1]) == (True, True, False)
    listed = text(browser.get("/admin/billing/cardrefusal/"))
    assert ("$7.00" in listed, "Expired" in listed) == (True, True)


def test_a_sign_in_that_is_none_yet_an_export_that_is_made_and_an_entry_without_words(browser, root, bob):
    Export.objects.create(user=bob, made_at=NOW)
    entry = {"content_type": ContentType.objects.get_for_model(User), "object_id": str(bob.pk), "action_flag": CHANGE}
    LogEntry.objects.create(user=root, **entry)
    shown = parts(text(story(browser, bob.pk)))
    assert "none yet" in shown["Sign-in"][0]
    assert "not yet" not in shown["Exports that are kept"][0]
    assert "change" in shown["By operators, on their page"][0]


def test_a_call_that_goes_on_is_told_so(browser, bob):
    Call.objects.create(sid="CA1", user_id=bob.pk, status="in-progress", is_on=True)
    Call.objects.create(sid="CA2", user_id=bob.pk, status="completed")
    shown = " ".join(parts(text(story(browser, bob.pk)))["Calls"])
    assert (shown.count("on now"), shown.count("completed")) == (1, 1)


def test_a_call_is_told_with_when_it_began_or_was_let_in(browser, bob):
    then = datetime(2024, 5, 6, tzinfo=UTC)
    Call.objects.create(sid="CA1", user_id=bob.pk, start_time=then)
    Call.objects.create(sid="CA2", user_id=bob.pk, created_at=then.replace(year=2023))
    shown = parts(text(story(browser, bob.pk)))["Calls"]
    assert sorted(year for row in shown for year in ("2023", "2024") if year in row) == ["2023", "2024"]
