"""A person's statement: every entry of their ledger, in JSON and in CSV."""

import itertools
import re
from datetime import date

import pytest

from billing.models import LedgerEntry
from billing.statement import exact
from groups.models import Group, Membership, Ownership
from tests.billing.api.test_statement_csv import CSV, cells
from tests.neighbours import ours
from tests.openapi import document
from users.sign_in.local_issuer import local_token

KEYS = ["id", "createdAt", "kind", "memo", "groupId", "groupName", "amount", "balanceAfter"]


@pytest.fixture
def path(alice):
    return f"/api/users/{alice.pk}/statement"


def memos(answer):
    assert answer.status_code == 200
    return "".join(each["memo"] for each in answer.json())


def next_page(answer):
    return re.fullmatch(r'<http://[^/]+(\S+)>; rel="next"', answer["Link"])[1]


# What it says


def test_each_line_says_what_it_was_for_and_what_was_left(api, path, post, group):
    post(5_000_000, "Money added by card", kind="top_up", at=(1, 9, 30))
    call = post(group_id=group.pk, at=(2, 0, 0))
    added, called = api.get(path).json()
    assert (list(added), added["groupId"], added["groupName"]) == (KEYS, None, None)
    assert (added["amount"], added["balanceAfter"], added["createdAt"]) == ("5.00", "5.00", "2026-11-01T09:30:00.000Z")
    assert called == {
        "id": call.pk,
        "createdAt": "2026-11-02T00:00:00.000Z",
        "kind": "call",
        "memo": "Call of 2 min in Family",
        "groupId": group.pk,
        "groupName": "Family",
        "amount": "-0.0206",
        "balanceAfter": "4.9794",
    }


@pytest.mark.parametrize(
    ("micros", "shown"),
    [(0, "0.00"), (1, "0.000001"), (-20_600, "-0.0206"), (-1_500_000, "-1.50"), (9 * 10**15, "9000000000.00")],
)
def test_amounts_are_exact(micros, shown):
    assert exact(micros) == shown


def test_money_that_goes_back_is_told_in_words(api, path, tell, paid, stripe_double):
    tell("refund.created", stripe_double.refunded(paid, 500))
    dispute = stripe_double.disputed(paid)
    tell("charge.dispute.funds_withdrawn", dispute)
    tell("charge.dispute.funds_reinstated", stripe_double.dispute_ends(dispute["id"], "won"))
    lines = api.get(path).json()
    assert [each["kind"] for each in lines] == ["top_up", "refund", "dispute", "dispute_won"]
    assert [each["balanceAfter"] for each in lines] == ["20.00", "15.00", "-5.00", "15.00"]
    assert "Refund to the card" in lines[1]["memo"]


def test_every_kind_is_described(api, path, post):
    for kind in LedgerEntry.Kind:
        post(5 if kind in ("top_up", "dispute_won") else -5, kind=kind)
    assert [each["kind"] for each in api.get(path).json()] == LedgerEntry.Kind.values


def test_the_ids_of_vendors_are_not_shown(api, path, post):
    post()
    assert b"twilio:" not in api.get(path).content


def test_a_group_that_is_gone_has_no_name_and_the_memo_keeps_it(api, path, post, group):
    post(group_id=group.pk)
    gone, _ = group.pk, group.delete()
    (line,) = api.get(path).json()
    assert (line["groupId"], line["groupName"], line["memo"]) == (gone, None, "Call of 2 min in Family")


def test_a_group_that_one_has_left_keeps_its_new_name_to_itself(api, path, post, group, alice, bob, sign_in):
    token = {"Authorization": f"Bearer {local_token(alice.email)}"}
    post(group_id=group.pk)
    Ownership.objects.create(group=group, user=bob)
    assert api.get(path, headers=token).json()[0]["groupName"] == "Family"
    Ownership.objects.filter(group=group, user=alice).delete()
    Membership.objects.filter(group=group, user=alice).delete()
    ours(Group).update(name="Without Alice")
    assert api.get(path, headers=token).json()[0]["groupName"] is None


@pytest.mark.parametrize("headers", [{}, CSV])
def test_whoever_has_no_account_yet_has_an_empty_one(api, path, headers):
    answer = api.get(path, headers=headers)
    assert answer.getvalue().decode() == ("\ufeff" + ",".join(KEYS) + "\r\n" if headers else "[]")


def test_another_persons_entries_are_not_in_it(api, path, post, bob):
    post(user=bob)
    assert api.get(path).json() == []


@pytest.mark.parametrize("headers", [{}, CSV])
def test_nobody_has_no_statement(api, db, headers):
    answer = api.get("/api/users/999/statement", headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("headers", [{}, CSV])
def test_it_takes_as_many_queries_for_50_entries_as_for_5(api, path, post, group, headers, django_assert_num_queries):
    for count in (5, 45):
        for _ in range(count):
            post(group_id=group.pk)
        with django_assert_num_queries(2):
            api.get(path, headers=headers).getvalue()


# Which entries


@pytest.mark.parametrize("headers", [{}, CSV])
def test_pages_cover_it_once_in_the_order_of_posting(api, path, days, headers):
    first = api.get(f"{path}?limit=2&from=2026-11-01", headers=headers)
    rest = api.get(next_page(first), headers=headers)
    shown = [line["memo"] for page in (first, rest) for line in (cells(page) if headers else page.json())]
    assert shown == ["1", "2", "3"]
    assert "from=2026-11-01" in next_page(first)
    assert "Link" not in rest


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("from=2026-11-01", "123"),
        ("from=2026-11-02", "23"),
        ("to=2026-11-03", "123"),
        ("to=2026-11-02", "12"),
        ("from=2026-11-02&to=2026-11-02", "2"),
        ("from=2026-11-04", ""),
        ("from=2026-11-02T12:00:00Z", "23"),
        ("from=2026-11-02T12:00:00.000001Z", "3"),
        ("to=2026-11-02T12:00:00Z", "1"),
        ("to=2026-11-02T12:00:00.001Z", "12"),
        ("from=2026-11-02T12:00", "23"),
        ("from=2026-11-02T13:00:00%2B01:00", "23"),
        ("from=2026-11-02T13:00:00+01:00", "23"),
        ("from=2026-11-02T07:00:00-05:00&to=2026-11-03", "23"),
        ("from=0001-01-01&to=9999-12-31", "123"),
        ("from=0001-01-01T00:00%2B23:59&to=9999-12-31T23:59:59-23:59", "123"),
        ("from=2024-02-29&to=2026-11-01", "1"),
        ("from=2026-11-01&limit=1&after=0", "1"),
    ],
)
def test_a_period_holds_its_beginning_and_its_last_day(api, path, days, query, shown):
    assert memos(api.get(f"{path}?{query}")) == shown


def test_periods_that_meet_hold_each_entry_once(api, path, days):
    noon = "2026-11-02T12:00:00Z"
    assert memos(api.get(f"{path}?to={noon}")) + memos(api.get(f"{path}?from={noon}")) == "123"


@pytest.mark.parametrize("name", ["from", "to"])
def test_the_document_allows_the_days_that_there_are_and_no_others(name):
    parameters = document()["paths"]["/api/users/{user_id}/statement"]["get"]["parameters"]
    (pattern,) = [each["schema"]["pattern"] for each in parameters if each["name"] == name]
    for year, month in itertools.product((0, 1, 4, 400, 1900, 2000, 2023, 2024, 2100, 9999), range(14)):
        for day in range(33):
            text = f"{year:04}-{month:02}-{day:02}"
            assert bool(re.fullmatch(pattern, text)) == is_there(text), text


def is_there(text):
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "x",
            "2026-11-31",
            "2026-02-29",
            "2026-13-01",
            "20261101",
            "2026-11-1",
            "2026-W45-1",
            "2026-11-01T",
            "2026-11-01T25:00",
        ),
        *("2026-11-01T12", "1793500000", "0000-01-01", "2026-11-01T12:00+24:00", "٢٠٢٦-11-01", "2026-11-01%00"),
    ],
)
def test_another_value_is_refused_by_name(api, path, name, value):
    answer = api.get(f"{path}?{name}={value}", headers=CSV)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert [each["field"] for each in answer.json()["errors"]] == [name]


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-11-02&to=2026-11-01",
        "from=2026-11-02T00:00:01Z&to=2026-11-01",
        "from=2026-11-02T12:00:00Z&to=2026-11-02T12:00:00Z",
    ],
)
def test_a_period_that_ends_before_it_begins_is_refused_in_plain_words(api, path, query):
    answer = api.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "from")
    assert "must be before" in answer.json()["detail"]


def test_an_unchanged_statement_is_304(api, path, days):
    etag = api.get(path)["ETag"]
    again = api.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again["Vary"]) == (304, "Accept, origin")
