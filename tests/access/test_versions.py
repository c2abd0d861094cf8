"""What the question to the database says of each caller, held against the matrix: it says no rule of its own."""

import re
from contextlib import closing

import pytest
from django.db import connection
from django.urls import resolve

from groups.api.permissions import OWNERS, MayInGroup
from groups.models import Membership
from groups.versions import EXECUTE, PREPARE, SETTINGS, SIGNED_UP, Poll, Right, ask, right_of
from tests.access.operations import KNOWN, PRIVATE_OPERATIONS
from tests.asked import asked
from tests.neighbours import ours
from users.callers import Everybody, Identity
from users.models import User
from voice.api.views import TwilioChargeViewSet

READS = [
    each
    for each in PRIVATE_OPERATIONS
    if each.method == "GET" and "{" in each.path and not re.search("absent|{export}", each.path)
]
"""But for exports, of which no answer is kept."""
CALLERS = ("unknown", *KNOWN)


@pytest.fixture
def signed_in_as(bound, issuer):
    """Whom a token names; "unknown" is nobody whom we know."""

    def signed_in_as(caller):
        subject = bound[caller].email if caller in bound else "nobody@example.com"
        return Identity(issuer.url, subject, subject, email_verified=True)

    return signed_in_as


@pytest.fixture
def polls(signed_in_as, names):
    """Each caller's poll of an operation's path, by the right that its view asks for."""

    def polls(operation):
        for caller in CALLERS:
            match = resolve(operation.path_for(names(caller)))
            right = right_of(match.func.cls, match.func.actions["get"])
            yield Poll(signed_in_as(caller), right, next(iter(match.kwargs.values())))

    return polls


@pytest.mark.parametrize("operation", READS, ids=str)
def test_who_may_read_may_be_given_a_kept_answer_and_nobody_else(polls, operation):
    allowed = dict(zip(CALLERS, asked(*polls(operation)), strict=True))
    assert {caller: found.is_allowed for caller, found in allowed.items()} == {
        caller: operation.cells[caller] == "200" for caller in CALLERS
    }


@pytest.mark.parametrize(
    ("loss", "who"),
    [
        (lambda bob: Membership.objects.filter(user=bob).delete(), "member"),
        (lambda bob: User.objects.filter(pk=bob.pk).update(is_active=False), "member"),
        (lambda bob: User.objects.filter(pk=bob.pk).update(oidc_issuer=None, oidc_subject=None), "member"),
        (lambda bob: bob.delete(), "member"),
        (lambda _: ours(User).update(is_staff=False), "staff"),
    ],
    ids=["removed", "disabled", "unbound", "deleted", "staff taken away"],
)
def test_who_has_lost_it_may_no_more(signed_in_as, polls, bob, loss, who):
    operation = next(each for each in READS if each.path.endswith("callStatus"))
    index = CALLERS.index(who)
    assert asked(*polls(operation))[index].is_allowed
    loss(bob)
    assert not asked(*polls(operation))[index].is_allowed


def test_in_open_mode_everybody_may_read_as_staff_do(group):
    (found,) = asked(Poll(Everybody(), Right(MayInGroup, OWNERS), group.pk))
    assert (found.is_allowed, found.is_staff, found.pk) == (True, True, None)


def test_a_rule_says_who_of_those_around_a_group(signed_in_as, group):
    found = asked(*(Poll(signed_in_as(caller), Right(MayInGroup, OWNERS), group.pk) for caller in KNOWN))
    assert [each.is_allowed for each in found] == [False, False, False, True, True]


def test_a_right_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="IsAdminUser of TwilioChargeViewSet is not known here"):
        right_of(TwilioChargeViewSet, "all")


def test_the_answer_says_who_the_caller_is(signed_in_as, bound):
    callers = ("unknown", "member", "staff")
    found = asked(*(Poll(signed_in_as(caller)) for caller in callers))
    known = [(None, False), (bound["member"].pk, False), (bound["staff"].pk, True)]
    assert [(each.pk, each.is_staff) for each in found] == known


def test_prepared_it_gives_the_same_answers(on_postgresql, signed_in_as, group, bound):
    everything = {
        "groups": [group.pk, 0],
        "people": [each.pk for each in bound.values()],
        "parts_of": bound["owner"].pk,
    }
    polls = [Poll(signed_in_as(caller), SIGNED_UP, **everything) for caller in CALLERS]
    plain = asked(*polls)
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(SETTINGS)
        cursor.execute(PREPARE)
        try:
            assert ask(cursor, EXECUTE, polls) == plain
            assert plan(cursor).isdisjoint({"Seq Scan", "Hash Left Join", "Merge Left Join"})
        finally:
            cursor.execute("DEALLOCATE what_is_so")
            cursor.execute("RESET enable_seqscan; RESET enable_bitmapscan; RESET plan_cache_mode")


def plan(cursor):
    cursor.execute(f"EXPLAIN (COSTS OFF) {EXECUTE}", ("[]",))
    return {line.strip(" ->").partition(" on ")[0].partition(" using ")[0] for (line,) in cursor.fetchall()}
