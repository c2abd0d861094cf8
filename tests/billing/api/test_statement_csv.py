"""A person's statement for their spreadsheet."""

import csv
from io import StringIO

import pytest
from django.db import OperationalError

from billing import statement
from billing.api import statement_views
from core.spreadsheets import harmless
from groups.models import Group
from tests.neighbours import ours

CSV = {"Accept": "text/csv"}


@pytest.fixture
def path(alice):
    return f"/api/users/{alice.pk}/statement"


def cells(answer):
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"), newline="")))


def test_a_spreadsheet_reads_the_same_lines(api, path, post, group):
    group.name = 'Größe, "quoted"\r\nand broken'
    group.save()
    post(group_id=group.pk, memo="Call in 👨‍👩‍👧, " * 5)
    post(5_000_000, "Money added by card", kind="top_up")
    shown = [{key: "" if value is None else str(value) for key, value in each.items()} for each in api.get(path).json()]
    assert cells(api.get(path, headers=CSV)) == shown


def test_excel_knows_it_for_utf_8_lines_end_as_the_rfc_says_and_the_file_has_a_plain_name(api, path, days):
    answer = api.get(path, headers=CSV)
    text = answer.getvalue()
    assert text.startswith(b"\xef\xbb\xbfid,createdAt,kind,memo,groupId,groupName,amount,balanceAfter\r\n")
    assert text.count(b"\r\n") == text.count(b"\n") == 4
    assert answer["Content-Disposition"] == 'attachment; filename="statement.csv"'
    assert "no-cache" in answer["Cache-Control"]


@pytest.mark.parametrize("begun", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "\u00a0-"])
def test_no_text_becomes_a_formula(api, path, post, group, begun):
    ours(Group).update(name=f"{begun}HYPERLINK(A1)")
    post(memo=f"{begun}1+cmd|' /C calc'!A0", group_id=group.pk)
    (line,) = cells(api.get(path, headers=CSV))
    assert (line["memo"][0], line["groupName"][0]) == ("'", "'")
    assert line["memo"].replace("'", "", 1).endswith(f"{begun}1+cmd|' /C calc'!A0"[1:])


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a;=1", "a;'=1"), ("a\n@b", "a\n'@b"), ("a\t-b", "a\t'-b"), ("a=b+c", "a=b+c"), ("", ""), (None, None)],
)
def test_a_formula_cannot_begin_where_another_separator_would_begin_a_cell(text, kept):
    assert harmless(text) == kept


def test_what_comes_after_an_entry_is_a_page_too(api, path, days):
    answer = api.get(f"{path}?after={days[0].pk}", headers=CSV)
    assert [line["memo"] for line in cells(answer)] == ["2", "3"]


def test_numbers_stay_numbers(api, path, post):
    post()
    (line,) = cells(api.get(path, headers=CSV))
    assert (line["amount"], line["balanceAfter"]) == ("-0.0206", "-0.0206")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv; charset=utf-8"),
        ("TEXT/CSV; charset=utf-8; header=present", "text/csv; charset=utf-8"),
        ("text/csv, */*", "text/csv; charset=utf-8"),
        ("text/csv;q=0.9, application/json;q=0.5", "text/csv; charset=utf-8"),
        ("text/csv;q=0.5, */*;q=0.9", "application/json"),
        ("text/csv;q=0, text/html", "application/json"),
        ("application/json, text/csv", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("", "application/json"),
        ("text/csv; a*=; a*1*=b, ;;,", "text/csv; charset=utf-8"),
    ],
)
def test_csv_is_for_whoever_wants_it_more_than_json(api, path, days, accept, kind):
    answer = api.get(path, headers={"Accept": accept})
    assert (answer["Content-Type"], answer["Vary"]) == (kind, "Accept, origin")


def test_a_database_that_fails_is_told_as_a_problem(api, path, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr(statement_views, "statement", fail)
    answer = api.get(path, headers=CSV)
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")


# However long it is


@pytest.fixture
def long(post, alice):
    """25 entries, of which three are read at once."""
    return [post(memo=str(number)).memo for number in range(25)]


@pytest.fixture(params=[1, 3, 5, 25, 26])
def at_once(monkeypatch, request):
    monkeypatch.setattr(statement, "AT_ONCE", request.param)
    return request.param


def test_it_is_whole_and_in_order_however_much_is_read_at_once(api, path, long, at_once):
    assert [line["memo"] for line in cells(api.get(path, headers=CSV))] == long


def test_no_more_is_held_than_is_read_at_once(api, path, long, at_once):
    pieces = list(api.get(path, headers=CSV).streaming_content)
    assert max(piece.count(b"\r\n") for piece in pieces) <= at_once + 1


def test_what_is_posted_while_it_is_written_stands_at_its_end(api, path, long, post, monkeypatch):
    monkeypatch.setattr(statement, "AT_ONCE", 5)
    texts = iter(api.get(path, headers=CSV))
    first = next(texts)
    post(memo="late")
    assert (first + b"".join(texts)).count(b"\r\n") == 1 + len(long) + 1


def test_it_has_no_etag_and_no_condition_leaves_it_out(api, path, long):
    for header in ("*", api.get(path)["ETag"], '"x"'):
        answer = api.get(path, headers={**CSV, "If-None-Match": header})
        assert (answer.status_code, "ETag" in answer, len(cells(answer))) == (200, False, 25)


def test_head_has_its_headers_and_no_body(api, path, long):
    told, got = api.head(path, headers=CSV), api.get(path, headers=CSV)
    assert told.getvalue() == b""
    assert {**told.headers, "X-Request-Id": ""} == {**got.headers, "X-Request-Id": ""}
