"""A worker is killed while it adds money: the next request, or Stripe's webhook, finishes what it left.

gunicorn serves the product, with the real adapter, on a database of its own; who finishes is another worker there.
"""

import json
import os
import sqlite3
from contextlib import ExitStack, closing, nullcontext
from functools import cache
from http.client import HTTPConnection
from itertools import count

import psycopg2
import pytest

from bench.database import manage, postgresql_beside
from bench.server import gunicorn
from tests.doubles.stripe import SECRET_KEY, WEBHOOK_SECRET, StripeDouble, event, signature

WEBHOOK = "/api/billing/stripeWebhook"
numbers = count(1)


@pytest.fixture(scope="module")
def double():
    with StripeDouble() as double:
        yield double


@pytest.fixture(scope="module")
def environment(double, tmp_path_factory):
    """What the product is started with. Its database is migrated."""
    given, worker = os.environ.get("DATABASE_URL", ""), os.environ.get("PYTEST_XDIST_WORKER", "")
    file = tmp_path_factory.mktemp("failpoints") / "db.sqlite3"
    beside = postgresql_beside(given, f"_failpoints{worker}") if given.startswith("postgres") else nullcontext()
    with beside as url:
        stripe = {"SK_TEST": SECRET_KEY, "STRIPE_API_BASE": double.url, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}
        environment = {**os.environ, **stripe, "DATABASE_URL": url or f"sqlite:///{file}", "no_proxy": "127.0.0.1"}
        manage(environment, "migrate", "--noinput", "--verbosity", "0")
        yield environment


@pytest.fixture(scope="module")
def port_of(environment):
    """Where the product is served that has this failpoint, or "off"."""
    with ExitStack() as servers:

        @cache
        def port_of(failpoint):
            variables = {**environment, "FAILPOINT": failpoint}
            server = gunicorn("voicechat.wsgi", ["--workers", "1"], variables, probe="/healthz")
            return servers.enter_context(server).port

        yield port_of


@pytest.fixture
def ask(port_of):
    """The status and the body of an answer. Raises ConnectionError where there is none."""

    def ask(method, path, body=None, *, failpoint="off", **headers):
        sent = body if isinstance(body, bytes) else json.dumps(body)
        with closing(HTTPConnection("127.0.0.1", port_of(failpoint), timeout=30)) as connection:
            connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or "null")

    return ask


@pytest.fixture
def alice(ask):
    """She has a card that works."""
    _, alice = ask("POST", "/api/users", {"email": f"alice{next(numbers)}@example.com", "nickname": "Alice"})
    ask("POST", "/api/billing/updateCreditCard", {"userId": alice["id"], "sourceId": "tok_visa"})
    return alice


@pytest.fixture
def pay(ask, alice):
    def pay(failpoint="off"):
        body = {"userId": alice["id"], "amountToAdd": 20}
        return ask("POST", "/api/billing/addMoney", body, failpoint=failpoint, **{"Idempotency-Key": "one"})

    return pay


@pytest.fixture
def payments(double, alice):
    """Alice's at Stripe."""
    return lambda: [each for each in double.intents.values() if each["customer"] == alice["stripeId"]]


@pytest.fixture
def balance(ask, alice):
    return lambda: ask("GET", f"/api/users/{alice['id']}/accountBalance")[1]["accountBalance"]


@pytest.fixture
def half_a_minute_passes(environment):
    """Nobody works on what the dead one worked on any more."""

    def half_a_minute_passes():
        url = environment["DATABASE_URL"]
        on_postgresql = url.startswith("postgres")
        connection = psycopg2.connect(url) if on_postgresql else sqlite3.connect(url.removeprefix("sqlite:///"))
        with closing(connection), connection:
            connection.cursor().execute('UPDATE "topUps" SET in_flight_until = created_at')

    return half_a_minute_passes


@pytest.mark.parametrize(
    ("failpoint", "charged", "posted"),
    [
        ("after_topup_row", 0, "0.00"),
        ("after_charge", 1, "0.00"),
        ("after_entry", 1, "0.00"),  # it was not committed
        ("after_post", 1, "20.00"),
    ],
)
def test_the_next_request_finishes_the_payment(
    pay, payments, balance, half_a_minute_passes, failpoint, charged, posted
):
    with pytest.raises(ConnectionError):
        pay(failpoint)
    assert (len(payments()), balance()) == (charged, posted)
    half_a_minute_passes()
    assert pay() == (200, {"updatedAccountBalance": 20})
    assert (len(payments()), balance()) == (1, "20.00")


@pytest.mark.parametrize("failpoint", ["after_charge", "after_entry", "after_post"])
def test_the_webhook_finishes_the_payment(ask, pay, payments, balance, failpoint):
    with pytest.raises(ConnectionError):
        pay(failpoint)
    body = event("payment_intent.succeeded", payments()[0])
    assert ask("POST", WEBHOOK, body, **{"Stripe-Signature": signature(body)}) == (204, None)
    assert pay() == (200, {"updatedAccountBalance": 20})
    assert (len(payments()), balance()) == (1, "20.00")


@pytest.mark.parametrize("failpoint", ["after_event", "after_entry"])
def test_a_webhook_during_which_the_worker_dies_is_applied_when_it_comes_again(ask, pay, payments, balance, failpoint):
    with pytest.raises(ConnectionError):
        pay("after_charge")
    body = event("payment_intent.succeeded", payments()[0])
    with pytest.raises(ConnectionError):
        ask("POST", WEBHOOK, body, failpoint=failpoint, **{"Stripe-Signature": signature(body)})
    assert balance() == "0.00"
    assert ask("POST", WEBHOOK, body, **{"Stripe-Signature": signature(body)}) == (204, None)
    assert balance() == "20.00"
