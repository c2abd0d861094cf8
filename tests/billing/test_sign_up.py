"""Who signs up while Stripe fails has a customer as soon as it answers, whether they ever pay or not."""

import pytest
from django.utils import timezone

from core.jobs.models import Job
from tests.doubles.server import Fault
from tests.neighbours import ours
from users.models import User

pytestmark = pytest.mark.django_db

TWICE = [Fault.DROP] * 2  # its SDK tries again once


@pytest.fixture
def sign_up(api, stripe_payments):
    def sign_up():
        answer = api.post("/api/users", {"email": "eve@example.com"})
        assert answer.status_code == 201
        return answer.json()["stripeId"]

    return sign_up


@pytest.fixture
def again(run_jobs):
    def again(**how):
        Job.objects.filter(state="waiting").update(due_at=timezone.now())
        return run_jobs(**how)

    return again


def test_where_stripe_answers_there_is_nothing_left_to_do(sign_up, again, stripe_double):
    assert sign_up() in stripe_double.customers
    assert again() == []


def test_a_job_opens_the_customer_that_stripe_did_not(sign_up, again, stripe_double):
    stripe_double.fail_next(*TWICE)
    User.objects.create(email="bob@example.com")  # who was taken over, and has none
    assert sign_up() is None
    assert again() == ["open_customer"]
    assert list(stripe_double.customers) == [User.objects.get(email="eve@example.com").stripe_id]
    assert User.objects.get(email="bob@example.com").stripe_id is None


def test_it_is_tried_until_stripe_answers(sign_up, again, stripe_double):
    stripe_double.fail_next(*TWICE, *TWICE)
    sign_up()
    assert again(failing=True) == ["open_customer"]
    assert again() == ["open_customer"]
    assert len(stripe_double.customers) == 1


def test_a_fault_that_stripe_keeps_under_the_key_is_over_with_the_next_hours_key(sign_up, again, stripe_double):
    stripe_double.fail_next(Fault.SERVER_ERROR)
    assert sign_up() is None
    assert again(failing=True) == ["open_customer"]
    ours(User).update(display_name="Eve of another hour")
    assert again() == ["open_customer"]
    assert len(stripe_double.customers) == 1


def test_a_customer_whose_answer_was_lost_is_not_opened_twice(sign_up, again, stripe_double):
    stripe_double.fail_next(*[Fault.LOSE_ANSWER] * 2)
    assert sign_up() is None
    again()
    assert list(stripe_double.customers) == [ours(User).get().stripe_id]


def test_who_has_paid_in_between_keeps_their_customer(sign_up, again, stripe_double, api):
    stripe_double.fail_next(*TWICE)
    sign_up()
    eve = ours(User).get()
    assert api.post("/api/billing/updateCreditCard", {"userId": eve.pk, "sourceId": "tok_visa"}).status_code == 200
    assert again() == ["open_customer"]
    assert len(stripe_double.customers) == 1


def test_who_was_deleted_in_between_has_none(sign_up, again, stripe_double):
    stripe_double.fail_next(*TWICE)
    sign_up()
    ours(User).all().delete()
    again()
    assert stripe_double.customers == {}


def test_where_payments_are_switched_off_no_job_tries(api, settings, again):
    settings.PAYMENTS = {}
    assert api.post("/api/users", {"email": "eve@example.com"}).status_code == 201
    assert again() == []
