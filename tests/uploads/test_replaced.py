"""A picture that somebody uploaded and has replaced is deleted at the image service."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core.jobs.models import Job
from tests.admin.conftest import browser, read_form, root  # noqa: F401  # fixtures
from tests.uploads.files import picture
from uploads.models import Picture
from users.models import User

pytestmark = pytest.mark.django_db
OTHER = "https://example.com/other.png"


@pytest.fixture
def show(api, bob):
    """Bob shows a picture, or none."""

    def show(address, user=bob):
        assert api.put(f"/api/users/{user.pk}", {"avatar": address}).status_code == 200

    return show


@pytest.fixture
def old(api, cloudinary_storage, show):
    """What Bob has uploaded, and shows."""
    answer = api.post("/api/upload", {"image": SimpleUploadedFile("me.png", picture())}, format="multipart")
    show(answer.json()["image"])
    return answer.json()["image"]


@pytest.fixture
def an_hour_later(run_jobs):
    def an_hour_later():
        assert run_jobs() == []  # not yet
        Job.objects.filter(due_at__lte=timezone.now() + timedelta(minutes=61)).update(due_at=timezone.now())
        run_jobs()

    return an_hour_later


@pytest.fixture
def anothers(cloudinary_storage, carol):
    """What Carol has uploaded, and shows nowhere yet."""
    address = cloudinary_storage.save(b"the bytes", extension="png")
    return Picture.objects.create(address=address, name="image2", user=carol)


def test_it_goes_alone_and_also_where_he_had_signed_in_to_upload_it(
    old, anothers, bob, show, an_hour_later, cloudinary_double
):
    Picture.objects.filter(address=old).update(user=bob)
    show(OTHER)
    an_hour_later()
    assert (cloudinary_double.destroyed, Picture.objects.get()) == (["image1"], anothers)


@pytest.mark.parametrize("address", [OTHER, None])
def test_it_goes_an_hour_later(old, show, an_hour_later, cloudinary_double, address):
    show(address)
    an_hour_later()
    assert (cloudinary_double.destroyed, Picture.objects.count()) == (["image1"], 0)


def test_it_goes_where_an_operator_replaces_it(old, bob, an_hour_later, cloudinary_double, browser):  # noqa: F811
    path = f"/admin/users/user/{bob.pk}/change/"
    answer = browser.post(path, {**read_form(browser.get(path)), "avatar": OTHER}, follow=True)
    assert (answer.status_code, User.objects.get(pk=bob.pk).avatar) == (200, OTHER)
    an_hour_later()
    assert cloudinary_double.destroyed == ["image1"]


def test_who_takes_it_back_keeps_it(old, show, an_hour_later, cloudinary_double):
    show(OTHER)
    show(old)
    an_hour_later()
    assert (cloudinary_double.destroyed, Picture.objects.count()) == ([], 1)


def test_it_stays_while_somebody_else_shows_it(old, show, an_hour_later, cloudinary_double, carol):
    show(old, carol)
    show(OTHER)
    an_hour_later()
    assert (cloudinary_double.destroyed, Picture.objects.count()) == ([], 1)


def test_whoever_has_shown_anothers_does_not_delete_it(old, show, cloudinary_double, run_jobs, carol):
    Picture.objects.update(user=User.objects.get(display_name="Bob"))
    User.objects.update(avatar=None)
    show(old, carol)
    show(OTHER, carol)
    assert not Job.objects.filter(task__endswith="forget_unseen").exists()


def test_of_one_that_is_not_ours_nothing_follows(show, cloudinary_storage):
    show(OTHER)
    show(None)
    assert not Job.objects.exists()


def test_showing_the_same_once_more_changes_nothing(old, show):
    show(old)
    assert not Job.objects.exists()
