"""The issuer's keys: when they are fetched, how long they are kept, and what holds while the issuer is down."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import OperationalError, connections
from django.utils import timezone

from tests.conftest import Client
from tests.doubles.issuer import DISCOVERY, HOUR, KEYS, number, rsa_key
from tests.doubles.server import HANG, Answer, Fault
from tests.users.conftest import outcome
from users.models import IssuerKeys
from users.sign_in.issuers import forget_keys, open_id_issuer

DOWN = [Fault.DROP] * 50

pytestmark = pytest.mark.django_db


@pytest.fixture
def later(monkeypatch):
    """Moves the clock by which the age of the keys is measured to so many seconds after the test's beginning."""
    return lambda seconds: monkeypatch.setattr("users.sign_in.issuers.monotonic", lambda: time.monotonic() + seconds)


@pytest.fixture
def fetched(issuer):
    """How often the keys were fetched."""
    return lambda: len(issuer.sent("GET", KEYS))


def of_unknown_key(issuer, number=0):
    """A token that may be true: it names a key that nobody has heard of."""
    return issuer.token(key=replace(rsa_key("unheard of"), kid=f"unheard-{number}"))


def test_the_keys_are_found_by_the_discovery_document_and_fetched_once(issuer, ask, fetched):
    tokens = [issuer.token(), issuer.token(key=issuer.keys[1]), issuer.token(sub="auth0|other")]
    assert [outcome(ask(token)) for token in tokens] == [200, 200, (403, "other_sign_in_bound")]
    assert (len(issuer.sent("GET", DISCOVERY)), fetched()) == (1, 1)


def test_the_keys_are_kept_for_an_hour(issuer, ask, fetched, later):
    token = issuer.token()
    for seconds, count in ((0, 1), (HOUR - 60, 1), (HOUR + 60, 2), (2 * HOUR, 2)):
        later(seconds)
        assert (outcome(ask(token)), fetched()) == (200, count)


def test_a_key_that_the_issuer_withdrew_counts_no_more_after_the_hour(issuer, ask, later):
    token = issuer.token()
    assert outcome(ask(token)) == 200
    issuer.rotate()
    later(HOUR + 60)
    ask(issuer.token())
    assert outcome(ask(token)) == (401, "token_invalid")


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.SERVER_ERROR, Answer(200, "<html>"), Answer(200, {"keys": []})])
def test_old_keys_serve_while_the_issuer_is_down(issuer, ask, later, fault):
    token = issuer.token()
    ask(token)
    issuer.fail_next(*[fault] * 50)
    for seconds in (HOUR + 60, 12 * HOUR):
        later(seconds)
        assert outcome(ask(token)) == 200


def test_an_issuer_that_is_down_is_not_asked_by_each_request(issuer, ask, later):
    token = issuer.token()
    ask(token)
    issuer.fail_next(*DOWN)
    later(HOUR + 60)
    ask(token)
    asked = len(issuer.requests)
    assert [outcome(ask(token)) for _ in range(5)] == [200] * 5
    assert len(issuer.requests) == asked


def test_the_keys_are_fresh_again_once_the_issuer_is_back(issuer, ask, later):
    ask(issuer.token())
    issuer.fail_next(*DOWN)
    later(HOUR + 60)
    ask(issuer.token())
    issuer.faults.clear()
    issuer.rotate()
    later(HOUR + 120)
    assert outcome(ask(issuer.token())) == 200


def test_a_new_key_is_known_within_seconds(issuer, ask, later):
    assert outcome(ask(issuer.token())) == 200
    issuer.rotate()
    later(6)
    assert outcome(ask(issuer.token())) == 200


def test_unknown_keys_cost_one_fetch_in_five_seconds(issuer, ask, fetched, later):
    ask(issuer.token())
    later(6)
    for expected in (2, 3):
        tokens = [of_unknown_key(issuer, number) for number in range(10)]
        assert {outcome(ask(token)) for token in tokens} == {(401, "token_invalid")}
        assert fetched() == expected
        later(12)
    assert outcome(ask(issuer.token())) == 200


def test_unknown_keys_cost_no_more_while_the_issuer_is_down(issuer, ask, later):
    ask(issuer.token())
    issuer.fail_next(*DOWN)
    later(6)
    before = len(issuer.requests)
    assert {outcome(ask(of_unknown_key(issuer, number)))[0] for number in range(10)} <= {401, 503}
    assert len(issuer.requests) <= before + 2


@pytest.mark.django_db(transaction=True)
def test_a_storm_of_unknown_keys_costs_one_fetch(issuer, ask, fetched, later):
    ask(issuer.token())
    later(6)
    headers = [{"Authorization": f"Bearer {of_unknown_key(issuer, number)}"} for number in range(16)]

    def asked(header):
        try:
            return Client().get("/api/users", headers=header)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(asked, headers))
    assert {outcome(answer) for answer in answers} == {(401, "token_invalid")}
    assert fetched() == 2


class Asking:
    """In place of the lock on which one waits who has the issuer asked by somebody else: it is given at once."""

    def __init__(self):
        self.waited = 0

    def acquire(self, *, blocking):
        self.waited += blocking
        return blocking

    def release(self):
        pass


@pytest.fixture
def somebody_asks(issuer, monkeypatch):
    """From now on; how many have waited for it."""

    def somebody_asks():
        asking = Asking()
        monkeypatch.setattr(open_id_issuer(issuer.url), "asking", asking)
        return lambda: asking.waited

    return somebody_asks


def test_who_needs_the_first_key_waits_for_whoever_asks_for_it(issuer, ask, somebody_asks):
    waited = somebody_asks()
    assert (outcome(ask(issuer.token())), waited()) == (200, 1)


def test_whose_key_is_known_waits_for_nobody_who_asks_for_newer_ones(issuer, ask, later, somebody_asks):
    ask(issuer.token())
    later(HOUR + 60)
    waited = somebody_asks()
    assert (outcome(ask(issuer.token())), waited()) == (200, 0)


def test_while_the_issuer_is_down_no_unknown_key_is_waited_for(issuer, ask, later, somebody_asks):
    ask(issuer.token())
    issuer.fail_next(*DOWN)
    later(HOUR + 60)
    ask(issuer.token())
    waited = somebody_asks()
    assert is_unreachable(ask(of_unknown_key(issuer)))
    assert waited() == 0


def test_a_token_that_cannot_be_read_costs_no_fetch(issuer, ask):
    for token in ("", "hello", "a.b.c", "é.ü.ß", issuer.token()[:40], issuer.token(header={"kid": 7})):
        assert outcome(ask(token)) == (401, "token_invalid")
    assert issuer.requests == []


# What another process has fetched


@pytest.fixture
def another_process(issuer, ask):
    """Another worker, or this one before its restart, verifies a sign-in; then the memory of keys is empty."""

    def work():
        forget_keys()
        assert outcome(ask(issuer.token())) == 200
        forget_keys()

    return work


def test_a_restart_while_the_issuer_is_down_locks_nobody_out(issuer, ask, another_process):
    another_process()
    issuer.fail_next(*DOWN)
    assert outcome(ask(issuer.token())) == 200


def test_after_a_rotation_and_an_outage_a_worker_knows_what_the_others_know(issuer, ask, another_process, later):
    former = open_id_issuer(issuer.url)
    assert outcome(ask(issuer.token())) == 200
    issuer.rotate()
    another_process()
    issuer.fail_next(*DOWN)
    later(6)
    former.ask(wait=True)
    assert former.known(issuer.keys[0].kid)


def test_kept_keys_that_cannot_be_read_are_none(issuer, ask, another_process):
    another_process()
    IssuerKeys.objects.update(keys={"keys": "spoiled"})
    issuer.fail_next(*DOWN)
    assert is_unreachable(ask(issuer.token()))


def test_keys_that_are_kept_of_another_issuer_are_not_believed(issuer, ask, thief):
    keys = [thief.keys[0].jwk()]
    IssuerKeys.objects.create(issuer="https://another.example", keys=keys, fetched_at=timezone.now())
    issuer.fail_next(*DOWN)
    assert is_unreachable(ask(issuer.token(key=thief.keys[0])))


def test_keys_that_cannot_be_kept_serve_all_the_same(issuer, ask, monkeypatch):
    def fail(**fields):
        raise OperationalError

    monkeypatch.setattr(IssuerKeys.objects, "update_or_create", fail)
    assert outcome(ask(issuer.token())) == 200


# No key is known


def is_unreachable(answer):
    assert int(answer["Retry-After"]) > 0
    return outcome(answer) == (503, "issuer_unreachable")


UNUSABLE = [
    Fault.DROP,
    Fault.SERVER_ERROR,
    Answer(404, "Not found."),
    Answer(200, "<html>Please sign in to the hotel's network</html>"),
    Answer(200, ""),
    Answer(200, "[]"),
    Answer(200, {}),
    Answer(200, {"jwks_uri": None, "keys": None}),
    Answer(200, {"jwks_uri": "file:///etc/passwd", "keys": "none"}),
    Answer(200, {"jwks_uri": ["x"], "keys": [None, 1, "x", [], {"kty": "?"}]}),
    Answer(302, "", {"Location": "http://127.0.0.1:9/"}),
]


@pytest.mark.parametrize("fault", UNUSABLE, ids=str)
@pytest.mark.parametrize("after", [0, 1], ids=["discovery", "keys"])
def test_where_no_key_can_be_had_the_client_is_told_to_come_again(issuer, ask, fault, after):
    issuer.fail_next(*[None] * after, *[fault] * 50)
    assert is_unreachable(ask(issuer.token()))


@pytest.mark.parametrize(("after", "path"), [(0, DISCOVERY), (1, KEYS)], ids=["discovery", "keys"])
def test_keys_behind_a_redirect_are_not_fetched_and_not_believed(issuer, ask, thief, after, path):
    issuer.fail_next(*[None] * after, *[Answer(302, "", {"Location": f"{thief.url}{path}"})] * 50)
    assert is_unreachable(ask(issuer.token(key=thief.keys[0])))
    assert thief.requests == []


@pytest.mark.parametrize("name", ["https://other.example/", "{url}/other", "{url}.other.example", ""])
def test_the_keys_of_a_document_that_names_another_issuer_are_not_believed(issuer, ask, name):
    document = {"issuer": name.format(url=issuer.url), "jwks_uri": f"{issuer.url}{KEYS}"}
    issuer.fail_next(Answer(200, document))
    assert is_unreachable(ask(issuer.token()))


@pytest.mark.parametrize("status", [203, 404, 500])
@pytest.mark.parametrize("after", [0, 1], ids=["discovery", "keys"])
def test_what_does_not_come_with_200_is_not_believed(issuer, ask, status, after):
    content = [{"issuer": issuer.name, "jwks_uri": f"{issuer.url}{KEYS}"}, {"keys": [issuer.keys[0].jwk()]}]
    issuer.fail_next(*[None] * after, *[Answer(status, content[after])] * 9)
    assert is_unreachable(ask(issuer.token()))


def test_a_key_that_does_not_say_what_it_is_for_is_for_signing(issuer, ask):
    issuer.published = [{name: value for name, value in issuer.keys[0].jwk().items() if name != "use"}]
    assert outcome(ask(issuer.token())) == 200


def key_of_another_curve():
    point = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    public = {"kty": "EC", "crv": "P-384", "x": number(point.x, 48), "y": number(point.y, 48)}
    return {"kid": "es-384", "use": "sig", "alg": "ES384", **public}


@pytest.mark.parametrize(
    "other", [key_of_another_curve(), rsa_key("for encryption").jwk(use="enc")], ids=["another curve", "encryption"]
)
def test_a_key_by_which_nobody_signs_here_is_none_that_a_token_may_leave_unnamed(issuer, ask, other):
    issuer.published = [issuer.keys[0].jwk(), other]
    assert outcome(ask(issuer.token(header={"kid": None}))) == 200


def test_the_issuer_is_asked_for_json(issuer, ask):
    ask(issuer.token())
    assert {each.headers["Accept"] for each in issuer.requests} == {"application/json"}


def test_an_issuer_that_hangs_is_not_waited_for(issuer, ask):
    issuer.fail_next(Fault.HANG)
    started = time.monotonic()
    assert is_unreachable(ask(issuer.token()))
    assert time.monotonic() - started < HANG


def test_an_issuer_where_nobody_listens_is_unreachable(issuer, ask, settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.OIDC_ISSUER = f"http://127.0.0.1:{free.getsockname()[1]}"
        token = issuer.token(iss=settings.OIDC_ISSUER)
        assert is_unreachable(ask(token))


def test_who_sends_no_token_is_nobody_all_the_same(issuer, ask):
    issuer.fail_next(*DOWN)
    assert outcome(ask(None)) == (401, "not_authenticated")
    assert outcome(ask("hello")) == (401, "token_invalid")


def test_what_needs_no_token_is_served_all_the_same(issuer, api):
    issuer.fail_next(*DOWN)
    header = {"Authorization": f"Bearer {issuer.token()}"}
    assert [api.get(path, headers=header).status_code for path in ("/", "/healthz", "/readyz")] == [200, 200, 200]


def test_a_person_gets_in_once_the_issuer_is_back(issuer, ask, later):
    issuer.fail_next(*DOWN)
    wait = int(ask(issuer.token())["Retry-After"])
    issuer.faults.clear()
    later(wait + 1)
    assert outcome(ask(issuer.token())) == 200


def test_rubbish_beside_a_key_does_no_harm(issuer, ask):
    good = issuer.keys[0].jwk()
    short = {"kty": "RSA", "kid": "short", "n": "AQAB", "e": "AQAB"}
    odd = [{"kid": "\ud800"}, {"kid": "\x00"}]  # which no database keeps
    issuer.published = [None, 1, "x", {}, {"kty": "?"}, {"kty": "OKP", "crv": "X25519", "x": "AA"}, *odd, short, good]
    assert outcome(ask(issuer.token())) == 200


def test_another_issuer_has_other_keys(issuer, ask, thief, settings):
    assert outcome(ask(issuer.token())) == 200
    settings.OIDC_ISSUER = thief.url
    forget_keys()
    assert outcome(ask(issuer.token(iss=thief.name))) == (401, "token_invalid")
