"""Vendors delete what they keep of somebody who is deleted here: told after the commit, and until they have done it."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.utils import timezone

from billing.cards import ensure_customer
from billing.models import SandboxObject
from groups.models import Device
from tests.doubles.server import Answer, Fault
from tests.doubles.stripe_objects import error
from tests.neighbours import ours
from tests.uploads.files import picture
from tests.users.deletion.conftest import left
from uploads.models import Picture
from users.models import Erasure, User, VendorDeletion
from users.vendor_deletions import WAITS, claim, reconcile_deletions


@pytest.fixture
def remove(api, committed):
    def remove(user):
        with committed():
            assert api.delete(f"/api/users/{user.pk}").status_code == 200

    return remove


@pytest.fixture
def reconcile(capsys):
    """The command, once everything is due; what it says."""

    def reconcile():
        ours(VendorDeletion).update(try_at=timezone.now())
        capsys.readouterr()
        call_command("reconcile_deletions")
        return capsys.readouterr().out.strip()

    return reconcile


@pytest.fixture
def phone(vendors, api, bob):
    """Bob's, registered at Twilio."""
    api.post("/api/voice/registerBinding", {"identity": f"u_{bob.pk}", "address": "token"})
    return ours(Device).get()


@pytest.fixture
def avatar(vendors, cloudinary_storage, bob):
    """Bob's, uploaded while nobody had to sign in."""
    bob.avatar = cloudinary_storage.save(b"the bytes", extension="png")
    bob.save()
    return Picture.objects.create(address=bob.avatar, name="image1")


@pytest.fixture
def all_of_bobs(vendors, bob, phone, avatar):
    ensure_customer(bob)
    return bob


def test_each_vendor_has_deleted_it_before_the_answer(remove, all_of_bobs, vendors):
    remove(all_of_bobs)
    assert vendors["stripe"].customers[all_of_bobs.stripe_id] == {
        "id": all_of_bobs.stripe_id,
        "object": "customer",
        "deleted": True,
    }
    assert (vendors["cloudinary"].destroyed, vendors["twilio"].bindings, left()) == (["image1"], [], [])


def test_of_a_phone_that_is_bound_nowhere_no_vendor_is_told(remove, vendors, bob):
    Device.objects.create(user=bob, identity=f"u_{bob.pk}", address="token", binding_type="fcm", sid="")
    remove(bob)
    assert (left(), [each for each in vendors["twilio"].requests if each.method == "DELETE"]) == ([], [])


def test_a_card_is_detached_with_its_customer(remove, vendors, api, alice):
    api.post("/api/billing/updateCreditCard", {"userId": alice.pk, "sourceId": "tok_visa"})
    (card,) = vendors["stripe"].methods
    remove(alice)
    assert vendors["stripe"].methods[card]["customer"] is None


@pytest.mark.parametrize("vendor", ["stripe", "cloudinary", "twilio"])
@pytest.mark.parametrize("fault", [Fault.DROP, Fault.SERVER_ERROR, Fault.LOSE_ANSWER])
def test_a_vendor_that_fails_is_told_again_and_the_others_are_not(
    remove, all_of_bobs, vendors, reconcile, vendor, fault
):
    vendors[vendor].fail_next(*[fault] * 2)
    remove(all_of_bobs)
    assert len(left()) == 1
    vendors[vendor].faults.clear()
    assert reconcile() == "deleted 1 things at vendors, 0 failed, 0 left"
    assert vendors["stripe"].customers[all_of_bobs.stripe_id].get("deleted")
    assert (vendors["cloudinary"].destroyed, vendors["twilio"].bindings) == (["image1"], [])


def test_what_a_vendor_does_not_know_is_deleted(remove, all_of_bobs, vendors):
    vendors["stripe"].customers.clear()
    vendors["cloudinary"].destroyed.append("image1")
    vendors["twilio"].bindings.clear()
    remove(all_of_bobs)
    assert left() == []


def test_a_404_of_the_image_service_is_an_answer_too(remove, avatar, bob, vendors):
    vendors["cloudinary"].fail_next(Answer(404, {"error": {"message": "Resource not found - image1"}}))
    remove(bob)
    assert left() == []


def test_it_is_told_less_and_less_often_and_staff_see_why(remove, vendors, bob, client, reconcile):
    ensure_customer(bob)
    vendors["stripe"].refusal = error(401, "invalid_request_error", "Invalid API Key provided", code="api_key_expired")
    remove(bob)
    for wait in WAITS[1:]:
        assert reconcile() == "deleted 0 things at vendors, 1 failed, 1 left"
        assert abs(ours(VendorDeletion).get().try_at - timezone.now() - wait) < timedelta(seconds=60)
    client.force_login(User.objects.create_superuser("root@example.com", display_name="Root"))
    page = client.get("/admin/users/vendordeletion/").content.decode()
    assert (bob.stripe_id in page, "PaymentsMisconfigured" in page) == (True, True)


def test_after_days_of_it_each_try_is_a_day_later(vendors, db, reconcile):
    VendorDeletion.objects.create(kind=VendorDeletion.Kind.CUSTOMER, name="cus_1", tries=len(WAITS))
    for _ in range(2):
        vendors["stripe"].fail_next(Fault.DROP, Fault.DROP)
        assert reconcile() == "deleted 0 things at vendors, 1 failed, 1 left"
        wait = ours(VendorDeletion).get().try_at - timezone.now()
        assert abs(wait - timedelta(days=1)) < timedelta(seconds=60)


def test_why_it_failed_is_said_of_that_one_alone(vendors, db):
    kinds, later = VendorDeletion.Kind, timezone.now() + timedelta(hours=1)
    VendorDeletion.objects.create(kind=kinds.CUSTOMER, name="cus_1")
    VendorDeletion.objects.create(kind=kinds.PICTURE, name="image1", try_at=later)
    vendors["stripe"].fail_next(Fault.DROP, Fault.DROP)
    reconcile_deletions(now=timezone.now())
    assert list(ours(VendorDeletion).order_by("pk").values_list("fault", flat=True)) == ["PaymentsUnavailable", ""]


def test_what_is_not_due_is_not_told(remove, vendors, bob, capsys):
    ensure_customer(bob)
    vendors["stripe"].fail_next(Fault.DROP, Fault.DROP)
    remove(bob)
    asked = len(vendors["stripe"].requests)
    call_command("reconcile_deletions")
    assert ("1 left" in capsys.readouterr().out, len(vendors["stripe"].requests)) == (True, asked)


def test_whoever_claims_it_first_tells_it(remove, vendors, bob):
    ensure_customer(bob)
    vendors["stripe"].fail_next(Fault.DROP, Fault.DROP)
    remove(bob)
    both = [ours(VendorDeletion).get() for _ in range(2)]
    assert [claim(row, now=timezone.now()) for row in both] == [True, False]


def test_after_three_failures_a_vendors_rest_is_for_the_next_run(db, vendors, reconcile):
    kinds = VendorDeletion.Kind
    VendorDeletion.objects.bulk_create(VendorDeletion(kind=kinds.CUSTOMER, name=f"cus_{n}") for n in range(5))
    VendorDeletion.objects.create(kind=kinds.PICTURE, name="image1")
    vendors["stripe"].fail_next(*[Fault.DROP] * 6)
    assert reconcile() == "deleted 1 things at vendors, 3 failed, 5 left"


def test_what_is_due_at_this_moment_is_told(vendors, db):
    row = VendorDeletion.objects.create(kind=VendorDeletion.Kind.CUSTOMER, name="cus_1")
    assert reconcile_deletions(now=row.try_at).told == 1


def test_what_has_waited_longest_is_told_first(vendors, db):
    now = timezone.now()
    for minutes in (1, 4, 2, 3):
        VendorDeletion.objects.create(
            kind=VendorDeletion.Kind.CUSTOMER, name=f"cus_{minutes}", try_at=now - timedelta(minutes=minutes)
        )
    vendors["stripe"].fail_next(*[Fault.DROP] * 6)
    assert reconcile_deletions(now=now).failed == 3
    assert VendorDeletion.objects.get(tries=0).name == "cus_1"


@pytest.mark.parametrize("kind", VendorDeletion.Kind)
def test_who_goes_later_does_not_take_over_what_waits_of_somebody_else(remove, vendors, bob, carol, kind):
    """Nor is it told before its time; not where it happens to be called the same at another vendor, either."""
    ensure_customer(carol)
    due = timezone.now() + timedelta(hours=1)
    name = "cus_404" if kind == VendorDeletion.Kind.CUSTOMER else carol.stripe_id
    waiting = VendorDeletion.objects.create(kind=kind, name=name, person_id=bob.pk, try_at=due)
    remove(carol)
    assert [(row.pk, row.person_id, row.try_at) for row in ours(VendorDeletion).all()] == [(waiting.pk, bob.pk, due)]


def test_what_waits_already_and_is_nobodys_becomes_that_of_who_goes(remove, vendors, carol):
    ensure_customer(carol)
    waiting = VendorDeletion.objects.create(
        kind=VendorDeletion.Kind.CUSTOMER, name=carol.stripe_id, try_at=timezone.now() + timedelta(hours=1)
    )
    vendors["stripe"].fail_next(*[Fault.DROP] * 4)
    remove(carol)
    assert [(row.pk, row.person_id) for row in ours(VendorDeletion).all()] == [(waiting.pk, carol.pk)]


def test_what_waits_already_waits_once(remove, phone, vendors, bob, carol, reconcile):
    Device.objects.create(user=carol, identity="u_9", address="other", binding_type="apn", sid=phone.sid)
    vendors["twilio"].fail_next(*[Fault.DROP] * 4)
    remove(bob)
    remove(carol)
    assert len(left()) == 1
    vendors["twilio"].faults.clear()
    assert reconcile() == "deleted 1 things at vendors, 0 failed, 0 left"
    assert vendors["twilio"].bindings == []


def test_a_customer_opened_while_the_person_is_deleted_is_deleted_again(vendors, alice, bob, committed, reconcile):
    stale = User.objects.get(pk=bob.pk)
    User.objects.filter(pk=bob.pk).delete()
    with pytest.raises(Exception, match="Not found"), committed():
        ensure_customer(stale)
    reconcile()
    assert [each.get("deleted") for each in vendors["stripe"].customers.values()] == [True]


def test_a_customer_that_stripe_refuses_to_delete_is_left(vendors, bob, remove):
    ensure_customer(bob)
    vendors["stripe"].fail_next(error(400, "invalid_request_error", "No.", code="parameter_unknown"))
    remove(bob)
    assert len(left()) == 1


def test_that_it_was_done_stays_known_without_a_name(remove, all_of_bobs, vendors, browser):
    vendors["stripe"].fail_next(*[Fault.DROP] * 2)
    remove(all_of_bobs)
    erasure = Erasure.objects.get()
    assert (erasure.person_id, timezone.now() - erasure.erased_at < timedelta(minutes=1)) == (all_of_bobs.pk, True)

    def left_at_vendors():
        page = browser.get(f"/admin/users/erasure/{erasure.pk}/change/").content.decode()
        return re.search(r'field-left_at_vendors.*?<div class="readonly">(\d+)<', page, re.DOTALL)[1]

    assert left_at_vendors() == "1"  # the customer
    ours(VendorDeletion).all().delete()
    assert left_at_vendors() == "0"


# --- What is somebody else's ----------------------------------------------------------------------------------------


def test_a_picture_that_somebody_else_shows_stays(remove, avatar, bob, carol, vendors):
    User.objects.filter(pk=carol.pk).update(avatar=f"{avatar.address}?1")
    remove(bob)
    assert (vendors["cloudinary"].destroyed, left()) == ([], [])


def test_showing_anothers_picture_does_not_make_it_ones_own(remove, vendors, cloudinary_storage, bob, carol):
    """Or whoever is deleted with it could delete any picture."""
    address = cloudinary_storage.save(b"the bytes", extension="png")
    Picture.objects.create(address=address, name="image1", user=carol)
    User.objects.filter(pk=bob.pk).update(avatar=address)
    remove(bob)
    assert (vendors["cloudinary"].destroyed, Picture.objects.count()) == ([], 1)


def test_what_somebody_unknown_has_uploaded_stays_where_they_do_not_show_it(
    remove, avatar, vendors, cloudinary_storage, bob
):
    address = cloudinary_storage.save(b"the bytes", extension="png")
    Picture.objects.create(address=address, name="image2")
    remove(bob)
    assert (vendors["cloudinary"].destroyed, Picture.objects.get().name) == (["image1"], "image2")


def test_an_image_that_was_never_uploaded_here_is_left_alone(remove, vendors, bob):
    User.objects.filter(pk=bob.pk).update(avatar="https://res.cloudinary.com/loopback/image/upload/v1/logo.png")
    remove(bob)
    assert vendors["cloudinary"].requests == []


def test_pictures_of_before_go_too(remove, vendors, cloudinary_storage, bob):
    for name in ("image1", "image2"):
        address = cloudinary_storage.save(b"the bytes", extension="png")
        Picture.objects.create(address=address, name=name, user=bob)
    remove(bob)
    assert vendors["cloudinary"].destroyed == ["image1", "image2"]


def test_a_phone_that_is_another_persons_meanwhile_keeps_its_binding(remove, phone, vendors, bob, carol, reconcile):
    vendors["twilio"].fail_next(*[Fault.DROP] * 2)
    remove(bob)
    Device.objects.create(user=carol, identity="u_9", address="token", binding_type="apn", sid=phone.sid)
    assert reconcile() == "deleted 1 things at vendors, 0 failed, 0 left"
    assert [each["sid"] for each in vendors["twilio"].bindings] == [phone.sid]


# --- Sandboxes ------------------------------------------------------------------------------------------------------


def test_a_file_of_the_sandbox_is_deleted(remove, sandbox_storage, api, bob, settings):
    answer = api.post("/api/upload", {"image": SimpleUploadedFile("me.png", picture())}, format="multipart")
    User.objects.filter(pk=bob.pk).update(avatar=answer.json()["image"])
    assert len(list(settings.MEDIA_ROOT.iterdir())) == 1
    remove(bob)
    assert list(settings.MEDIA_ROOT.iterdir()) == []


def test_a_customer_of_the_sandbox_is_deleted_and_the_payment_stays(remove, sandbox_payments, api, bob):
    api.post("/api/billing/updateCreditCard", {"userId": bob.pk, "sourceId": "tok_visa"})
    api.post("/api/billing/addMoney", {"userId": bob.pk, "amountToAdd": 20})
    remove(bob)
    assert [(each.pk[:2], each.customer) for each in SandboxObject.objects.all()] == [("pi", "")]
