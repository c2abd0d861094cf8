"""`GET /api/users/:id/export`: at once, or where there is much, by a job."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied

from core.jobs.models import Job
from groups.models import Activity
from tests.conftest import forbid
from tests.export.conftest import unpacked
from tests.neighbours import ours
from users.models import Export
from voicechat.export import ordering, views

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(api, bob):
    return lambda path=None: api.get(path or f"/api/users/{bob.pk}/export")


def test_it_is_a_zip_to_be_saved(ask, bob):
    answer = ask()
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert f'attachment; filename="voice-chatroom-{bob.pk}-' in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "no-store"
    assert not ours(Export).exists()


def test_who_may_not_any_more_orders_none(bob):
    with pytest.raises(PermissionDenied):
        ordering.order_export(user_id=bob.pk, now=timezone.now(), check=forbid)
    assert not ours(Export).exists()


@pytest.fixture
def much(monkeypatch, group, bob):
    """Bob has said one thing more than an export has rows that is made at once."""
    monkeypatch.setattr(views, "MOST_AT_ONCE", 20)
    rows = ask_rows = 20 - 2  # himself, and his part in the group; the group makes it one too many
    Activity.objects.bulk_create(Activity(group=group, user=bob, activity=f"{n}") for n in range(rows))
    return ask_rows


def test_one_row_fewer_is_not_too_many(ask, much):
    ours(Activity).first().delete()
    assert ask().status_code == 200


def test_a_large_one_is_made_by_a_job(ask, much, run_jobs):
    ordered = ask()
    where = ordered["Location"]
    assert (ordered.status_code, ordered.json(), ordered["Retry-After"]) == (202, {"location": where}, "5")
    waiting = ask(where)
    assert (waiting.status_code, waiting["Location"]) == (202, where)
    assert run_jobs() == ["make_export"]
    made = ask(where)
    assert (made.status_code, made["Content-Type"]) == (200, "application/zip")
    assert len(unpacked(made.content)[0]["activities"]) == much


def test_who_asks_again_gets_the_same_and_after_an_hour_a_new_one(ask, much, run_jobs):
    first = ask()["Location"]
    assert ask()["Location"] == first
    run_jobs()
    assert ask()["Location"] == first
    ours(Export).update(ordered_at=timezone.now() - timedelta(minutes=61))
    assert ask()["Location"] != first
    assert Job.objects.filter(task=ordering.make_export.module_path, state="waiting").count() == 1


def test_what_somebody_else_has_ordered_is_not_given(ask, much, alice, bob):
    theirs = Export.objects.create(user=alice, ordered_at=timezone.now())
    where = ask()["Location"]
    assert where.startswith(f"/api/users/{bob.pk}/export/")
    assert str(theirs.pk) not in where


def test_what_is_made_already_is_not_made_again(ask, much, run_jobs):
    ask()
    run_jobs()
    made = ours(Export).values("pk", "made_at").get()
    assert ordering.make_export.call(str(made["pk"])) is None
    assert ours(Export).values("pk", "made_at").get() == made


def test_it_is_there_for_a_day_and_for_nobody_else(ask, much, run_jobs, alice, bob):
    where = ask()["Location"]
    run_jobs()
    assert ask(where.replace(f"/{bob.pk}/", f"/{alice.pk}/")).status_code == 404
    ours(Export).update(ordered_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert ask(where).status_code == 200
    ours(Export).update(ordered_at=timezone.now() - timedelta(hours=24))
    assert ask(where).status_code == 404


def test_of_who_has_gone_meanwhile_nothing_is_made(ask, much, run_jobs, bob):
    where = ask()["Location"]
    bob.delete()
    assert "make_export" in run_jobs()
    assert (ask(where).status_code, ours(Export).exists()) == (404, False)


@pytest.mark.parametrize("no_export", ["x", "00000000-0000-0000-0000-00000000000", "1"])
def test_what_is_no_id_of_one_is_not_found(ask, no_export, bob):
    assert ask(f"/api/users/{bob.pk}/export/{no_export}").status_code == 404
