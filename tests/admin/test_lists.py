import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.admin import exact_dollars
from billing.ledger import account_of, post_entry
from billing.models import Account, Card, Dispute, LedgerEntry, StripeEvent
from groups.models import Activity, Group, Membership, Ownership, SandboxNotification
from tests.admin.conftest import Browser, text
from tests.admin.rows import fill
from tests.neighbours import ours
from users.models import Erasure, User, VendorDeletion
from users.operators import written
from voice.admin import time_spent
from voice.models import Call, DialInNumber

LISTS = {
    "users/user": "person17@example.com",
    "users/erasure": "10017",
    "users/vendordeletion": "image17",
    "groups/group": '"Group 17"',
    "groups/activity": "did 17",
    "billing/account": "person17@example.com",
    "billing/ledgerentry": "twilio:CA17",
    "billing/topup": "pi_17",
    "billing/dispute": "du_17",
    "billing/stripeevent": "evt_17",
    "billing/paymentnotice": "refuses 17",
    "voice/call": "CA17",
    "voice/conference": "CF17",
    "jobs/job": "tasks.number17",
    "groups/device": "u_17",
    "groups/sandboxnotification": '"Group 17 talks"',
}
lists = pytest.mark.parametrize("name", LISTS)


def count_queries(browser: Browser, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert browser.get(path).status_code == 200
    return len(queries)


@lists
def test_a_list_takes_as_many_queries_for_three_pages_as_for_two(
    browser: Browser, short_pages: None, name: str
) -> None:
    fill(0, 12)
    browser.get(f"/admin/{name}/")  # content types are looked up once a process
    few = count_queries(browser, f"/admin/{name}/")
    fill(12, 22)
    assert count_queries(browser, f"/admin/{name}/") == few <= 12


def test_a_groups_page_takes_as_many_queries_for_50_people_as_for_5(browser: Browser, group: Group) -> None:
    fill(0, 5)
    path = f"/admin/groups/group/{group.pk}/change/"
    join_everybody(group)
    browser.get(path)
    few = count_queries(browser, path)
    fill(5, 50)
    join_everybody(group)
    assert count_queries(browser, path) == few <= 12


def test_an_accounts_page_takes_as_many_queries_for_50_rows_as_for_5(browser: Browser, alice: User) -> None:
    fill(0, 5)
    account = Account.objects.create(user=alice)
    path = f"/admin/billing/account/{account.pk}/change/"
    give_everything(account)
    browser.get(path)
    few = count_queries(browser, path)
    fill(5, 50)
    give_everything(account)
    assert count_queries(browser, path) == few <= 12


def give_everything(account: Account) -> None:
    """Disputes of others, an entry beside each, and calls without a price."""
    for dispute in ours(Dispute).exclude(account=account):
        post_entry(account=account, kind=LedgerEntry.Kind.DISPUTE, amount_micros=-5, reference=dispute.pk, memo="")
    ours(Dispute).update(account=account)
    ours(Call).update(payer=account, price_micros=None)


def test_a_persons_page_takes_as_many_queries_for_50_cards_as_for_5(browser: Browser, alice: User) -> None:
    fill(0, 5)
    path = f"/admin/users/user/{alice.pk}/change/"
    ours(Card).update(user=alice)
    browser.get(path)
    few = count_queries(browser, path)
    fill(5, 50)
    ours(Card).update(user=alice)
    assert count_queries(browser, path) == few <= 16


def join_everybody(group: Group) -> None:
    for person in ours(User).exclude(memberships__group=group):
        Membership.objects.create(group=group, user=person)


@lists
def test_a_search_finds_the_one(browser: Browser, name: str) -> None:
    fill(10, 30)
    page = browser.get(f"/admin/{name}/", {"q": LISTS[name]})
    assert page.context["cl"].result_count == 1
    assert LISTS[name].strip('"') in text(page)


@pytest.mark.alone
@lists
def test_a_search_for_nothing_known_is_empty(browser: Browser, name: str) -> None:
    fill(0, 1)
    for term in ("nothing like it", "99999999999999999999", "O'Hara", "%", "ü", "-1"):
        assert browser.get(f"/admin/{name}/", {"q": term}).context["cl"].result_count == 0


@lists
def test_every_column_sorts(browser: Browser, name: str) -> None:
    fill(0, 3)
    for column in range(1, 10):
        assert browser.get(f"/admin/{name}/", {"o": f"-{column}"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("users/user", '"Person 3"'),
        ("groups/group", "person3@example.com"),
        ("groups/group", "5550003"),
        ("billing/ledgerentry", "person3@example.com"),
        ("billing/topup", "person3@example.com"),
        ("billing/topup", "Declined 3"),
        ("billing/refundrequest", "re_3"),
        ("billing/account", "cus_3"),
        ("billing/dispute", "person3@example.com"),
        ("billing/dispute", "pi_3"),
        ("billing/stripeevent", "cus_3"),
        ("billing/paymentnotice", "refuses 3"),
        ("voice/call", '"Person 3"'),
        ("voice/call", '"Group 3"'),
        ("voice/call", "+12025550142"),
        ("voice/dialinnumber", "+493012345678"),
        ("voice/conference", '"Group 3"'),
        ("groups/device", "person3@example.com"),
        ("groups/device", "BS3"),
        ("users/vendordeletion", "10003"),
    ],
)
def test_a_search_reaches_what_belongs_to_a_row(browser: Browser, name: str, term: str) -> None:
    fill(0, 6)
    Call.objects.create(sid="CArung", called="+12025550142")
    for number in ("+493012345678", "+493012345679"):
        DialInNumber.objects.create(group=Group.objects.create(name="Choir"), number=number)
    assert browser.get(f"/admin/{name}/", {"q": term}).context["cl"].result_count == 1


@pytest.mark.parametrize(
    ("name", "model"), [("users/user", User), ("groups/group", Group), ("billing/account", Account)]
)
def test_a_search_by_id_finds_the_row(browser: Browser, name: str, model: type[User | Group | Account]) -> None:
    fill(0, 3)
    row = model.objects.latest("id")
    assert row in browser.get(f"/admin/{name}/", {"q": row.pk}).context["cl"].result_list


def test_an_entry_is_found_by_the_id_that_a_person_quotes(browser: Browser, alice: User) -> None:
    amounts = {"kind": "call", "amount_micros": -5, "balance_after_micros": -5, "memo": ""}
    LedgerEntry.objects.create(id=777_000_001, account=account_of(alice), reference="twilio:CA", **amounts)
    assert browser.get("/admin/billing/ledgerentry/", {"q": "777000001"}).context["cl"].result_count == 1


@pytest.mark.alone
@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("users/user/?call_status__exact=1", 0),
        ("users/user/?is_staff__exact=1", 1),
        ("groups/group/?call_status__exact=0", 3),
        ("billing/ledgerentry/?kind__exact=call", 3),
        ("billing/ledgerentry/?kind__exact=top_up", 0),
        ("billing/ledgerentry/?created_at__gte=2020-01-01 00:00:00%2B00:00", 3),
        ("billing/topup/?status__exact=refused", 3),
        ("billing/dispute/?settled__exact=0", 3),
        ("billing/dispute/?settled__exact=1", 0),
        ("billing/dispute/?status=needs_response", 3),
        ("billing/stripeevent/?type=refund.failed", 0),
        ("billing/stripeevent/?applied=no", 3),
        ("billing/stripeevent/?applied=yes", 0),
        ("billing/stripeevent/?applied=nothing", 0),
        ("billing/stripeevent/?api_version=2019-05-16", 0),
        ("billing/account/?person=present", 3),
        ("billing/account/?person=deleted", 0),
        ("voice/call/?status=in-progress", 3),
        ("voice/call/?is_on__exact=1", 0),
        ("voice/conference/?completed__exact=0", 3),
        ("groups/device/?binding_type__exact=fcm", 0),
    ],
)
def test_a_filter_narrows_the_list(browser: Browser, path: str, rows: int) -> None:
    fill(0, 3)
    assert browser.get(f"/admin/{path}").context["cl"].result_count == rows


def test_a_group_is_listed_with_the_sizes_of_its_lists(browser: Browser, group: Group) -> None:
    (listed,) = (row for row in browser.get("/admin/groups/group/").context["cl"].result_list if row == group)
    sizes = listed.ownership_count, listed.membership_count, listed.invitation_count, listed.participant_count
    assert sizes == (1, 2, 1, 0)


def test_a_group_is_listed_with_its_owners(browser: Browser, group: Group, alice: User) -> None:
    owner = written(alice.pk, alice.email, "Alice")
    assert f'<td class="field-owner_names">{owner}</td>' in text(browser.get("/admin/groups/group/"))


def test_a_call_names_its_person_and_group(browser: Browser, group: Group, bob: User) -> None:
    Call.objects.create(sid="CA1", user_id=bob.pk, group_id=group.pk, duration=200, price_micros=-34_000)
    page = text(browser.get("/admin/voice/call/"))
    assert f'<a href="/admin/users/user/{bob.pk}/change/">{written(bob.pk, bob.email, "Bob")}</a>' in page
    assert f'<a href="/admin/groups/group/{group.pk}/change/">#{group.pk} <bdi>Family</bdi></a>' in page
    assert "3 min 20 s" in page
    assert "-$0.034<" in page


def test_a_call_names_who_pays_for_it(browser: Browser, alice: User) -> None:
    account = Account.objects.create(user=alice)
    call = Call.objects.create(sid="CA1", payer=account)
    page = text(browser.get(f"/admin/voice/call/{call.pk}/change/"))
    assert f'<a href="/admin/users/user/{alice.pk}/change/">{written(alice.pk, alice.email, "Alice")}</a>' in page
    assert f"/admin/billing/account/{account.pk}/change/" in page


def test_a_call_of_nobody_known_is_listed(browser: Browser) -> None:
    Call.objects.create(sid="CA1", user_id=404, group_id=405)
    Call.objects.create(sid="CA2")
    page = text(browser.get("/admin/voice/call/"))
    assert "deleted person 404" in page
    assert "deleted group 405" in page
    assert "unknown" in page


def test_the_money_of_a_deleted_person_is_found_for_a_refund(browser: Browser, bob: User) -> None:
    account = Account.objects.create(user=bob)
    post_entry(account=account, kind=LedgerEntry.Kind.TOP_UP, amount_micros=1_234_567, reference="stripe:pi_1", memo="")
    bob.delete()
    page = browser.get("/admin/billing/account/?person=refund")
    assert page.context["cl"].result_count == 1
    assert "deleted person" in text(page)
    assert "$1.234567" in text(page)


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "$0.00"),
        (1, "$0.000001"),
        (-8500, "-$0.0085"),
        (10_000, "$0.01"),
        (12_500_000, "$12.50"),
        (-1_000_000, "-$1.00"),
        (1_234_567_890_100_000, "$1,234,567,890.10"),
        (None, None),
    ],
)
def test_dollars_are_shown_to_the_last_micro_dollar(micros: int | None, shown: str | None) -> None:
    assert exact_dollars(micros) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, None), (0, "0 s"), (59, "59 s"), (60, "1 min"), (3725, "1 h 2 min 5 s")]
)
def test_a_duration_reads_well(seconds: int | None, shown: str | None) -> None:
    assert time_spent(seconds) == shown


@pytest.mark.parametrize("term", ["José", "Jose\u0301", "JOSÉ"])
@pytest.mark.parametrize("path", ["/admin/users/user/", "/admin/groups/group/"])
def test_a_search_finds_accents_in_either_form_and_case(browser: Browser, path: str, term: str) -> None:
    jose = User.objects.create(email="j@example.com", display_name="Jose\u0301")
    Ownership.objects.create(group=Group.objects.create(name="Other"), user=jose)
    Group.objects.create(name="Nobody's")
    assert browser.get(path, {"q": term}).context["cl"].result_count == 1


@pytest.fixture
def events(db: None) -> None:
    for name, fields in {
        "waits": {"type": "refund.created"},
        "applied": {"type": "refund.updated", "applied_at": timezone.now()},
        "aside": {"type": "charge.refunded", "applied_at": timezone.now(), "reason": "Of no payment of ours"},
    }.items():
        StripeEvent.objects.create(id=f"evt_{name}", payload={"object": f"pi_{name}"}, **fields)


def found_events(browser: Browser, **asked: str) -> set[str]:
    found = browser.get("/admin/billing/stripeevent/", asked).context["cl"].result_list
    return {event.pk.removeprefix("evt_") for event in found} - {"neighbours"}


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    ("applied", "names"), [("no", {"waits"}), ("yes", {"applied", "aside"}), ("nothing", {"aside"})]
)
def test_events_are_found_by_what_followed_from_them(browser: Browser, applied: str, names: set[str]) -> None:
    assert found_events(browser, applied=applied) == names


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    ("words", "names"),
    [
        *(("refund.", {"waits", "applied"}), ("no payment of ours", {"aside"})),
        *(("pi_waits", {"waits"}), ("evt_ap", {"applied"})),
    ],
)
def test_events_are_found_by_their_type_reason_and_words(browser: Browser, words: str, names: set[str]) -> None:
    assert found_events(browser, q=words) == names


@pytest.mark.parametrize(("words", "names"), [("Family", {"sang", "danced"}), ("bob@", {"danced"}), ("sang", {"sang"})])
def test_activities_are_found_by_group_person_and_words(
    browser: Browser, group: Group, alice: User, bob: User, words: str, names: set[str]
) -> None:
    Activity.objects.create(group=group, user=alice, activity="sang")
    Activity.objects.create(group=group, user=bob, activity="danced")
    Activity.objects.create(group=Group.objects.create(name="Choir"), user=alice, activity="left")
    found = browser.get("/admin/groups/activity/", {"q": words}).context["cl"].result_list
    assert {each.activity for each in found} == names


@pytest.mark.parametrize(("words", "count"), [("Family", 1), ("sings", 1), ("rests", 0)])
def test_what_was_sent_is_found_by_group_and_words(browser: Browser, group: Group, words: str, count: int) -> None:
    SandboxNotification.objects.create(group_id=group.pk, body="Bob sings", identities=["u_1"])
    assert browser.get("/admin/groups/sandboxnotification/", {"q": words}).context["cl"].result_count == count


def test_a_movement_without_a_group_names_none(browser: Browser, alice: User) -> None:
    post_entry(account=account_of(alice), kind="top_up", amount_micros=1, reference="stripe:1", memo="")
    assert "deleted group" not in text(browser.get("/admin/billing/ledgerentry/"))


def test_of_each_who_was_deleted_it_is_told_how_much_vendors_have_yet_to_delete(browser: Browser) -> None:
    Erasure.objects.bulk_create(Erasure(person_id=number) for number in (501, 502))
    for name in ("cus_1", "cus_2"):
        VendorDeletion.objects.create(kind="customer", name=name, person_id=501, try_at=timezone.now())
    rows = browser.get("/admin/users/erasure/").context["cl"].result_list
    assert {row.person_id: row.left for row in rows} == {501: 2, 502: None}
    shown = text(browser.get("/admin/users/erasure/"))
    assert re.findall(r'field-left_at_vendors">(\d+)<', shown) == ["0", "2"]
