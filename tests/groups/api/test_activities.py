from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from groups.models import Activity

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def path(group):
    return f"/api/groups/{group.pk}/activities"


def test_an_activity_is_added_and_the_whole_list_answered(api, path, alice):
    api.post(path, {"userId": alice.pk, "activity": "Created the group"})
    answer = api.post(path, {"userId": str(alice.pk), "activity": " Said 👋 "})
    assert answer.status_code == 201
    assert [each["activity"] for each in answer.json()] == [" Said 👋 ", "Created the group"]
    assert list(answer.json()[0]) == ["id", "activity", "createdAt", "userId", "displayName", "avatar"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"activity": "x"}, 400),
        ({"userId": 999, "activity": "x"}, 404),
        ({"userId": 1, "activity": " \t"}, 400),
        ({"userId": 1}, 400),
        ({"userId": 1, "activity": "x" * 129}, 400),
        ({"userId": 1, "activity": "\x00"}, 400),
    ],
)
def test_a_bad_activity_is_refused(api, path, sent, status):
    assert api.post(path, sent).status_code == status
    assert api.get(path).json() == []


def test_the_newest_comes_first_and_ties_by_id(api, path, group, alice):
    for name, minutes in (("old", 0), ("tie 1", 5), ("tie 2", 5), ("new", 9)):
        time = NOON + timedelta(minutes=minutes)
        Activity.objects.create(group=group, user=alice, activity=name, created_at=time)
    assert [each["activity"] for each in api.get(path).json()] == ["new", "tie 2", "tie 1", "old"]


def test_a_long_list_ends_and_links_to_its_rest(api, path, alice, monkeypatch):
    monkeypatch.setattr("voicechat.pagination.MOST_LISTED", 2)
    monkeypatch.setattr("groups.api.views.MOST_LISTED", 2)
    *_, last = [api.post(path, {"userId": alice.pk, "activity": str(number)}) for number in range(3)]
    for answer in (last, api.get(path)):
        rest = api.get(answer["Link"].partition(">")[0].lstrip("<").removeprefix("http://testserver"))
        assert [each["activity"] for each in (*answer.json(), *rest.json())] == ["2", "1", "0"]


def test_a_list_that_a_write_answers_with_begins_at_its_beginning(api, path, alice, monkeypatch):
    for module in ("groups.api.views", "voicechat.pagination"):
        monkeypatch.setattr(f"{module}.MOST_LISTED", 2)
    for word in ("one", "two", "three"):
        answer = api.post(f"{path}?limit=1&after=0.1", {"userId": alice.pk, "activity": word})
    assert [each["activity"] for each in answer.json()] == ["three", "two"]
    assert "limit=" not in answer["Link"]


def test_the_list_takes_one_query(api, path, group, alice, django_assert_num_queries):
    Activity.objects.create(group=group, user=alice, activity="x")
    with django_assert_num_queries(1):
        api.get(path)


def test_an_empty_list_is_not_a_missing_group(api, path):
    assert api.get(path).json() == []
    assert api.get("/api/groups/999/activities").status_code == 404


def test_pages_go_on_where_the_last_one_ended_even_within_a_tie(api, path, group, alice):
    """Nor does what was written before them and happened after them come a second time."""
    Activity.objects.create(group=group, user=alice, activity="newest", created_at=NOON + timedelta(minutes=1))
    for number in range(5):
        Activity.objects.create(group=group, user=alice, activity=str(number), created_at=NOON)
    first = api.get(f"{path}?limit=2")
    Activity.objects.create(group=group, user=alice, activity="later", created_at=NOON + timedelta(hours=1))
    rest = api.get(first["Link"].partition(">")[0].lstrip("<").replace("limit=2", "limit=100"))
    assert [each["activity"] for each in (*first.json(), *rest.json())] == ["newest", "4", "3", "2", "1", "0"]
    assert "Link" not in rest


def test_pages_of_rows_that_raw_sql_wrote_come_to_their_end(api, path, group, alice):
    with connection.cursor() as cursor:
        for number in range(3):
            statement = 'INSERT INTO activities ("userId", "groupId", activity) VALUES (%s, %s, %s)'
            cursor.execute(statement, [alice.pk, group.pk, str(number)])
    seen, link = [], f"{path}?limit=1"
    while link and len(seen) < 9:
        page = api.get(link)
        seen += [each["activity"] for each in page.json()]
        link = page.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert seen == ["2", "1", "0"]


@pytest.mark.parametrize(
    "after", ["", "x", "1", "1.", ".1", "1.x", "99999999999999999999.1", "9223372036854775807.1", "-1.1"]
)
def test_a_made_up_cursor_is_refused(api, path, after):
    assert api.get(f"{path}?after={after}").status_code == 400
