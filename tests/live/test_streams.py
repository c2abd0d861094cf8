"""What comes over a stream of a served process, and what becomes of it."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from time import sleep

import pytest

from bench.chaos.cluster import MissingError, temporary_cluster
from bench.database import manage
from core.streams import MOST_OF_ONE
from tests.live.served import Person, Stream, by_hand
from tests.served import served
from users.sign_in.local_issuer import local_token
from users.sign_in.tokens import LEEWAY

pytestmark = pytest.mark.django_db  # whose database is copied
MANY = 400
"""Activities of a group at once, of the 500 that are told after each other."""
GROUPS = 24
"""In which so many come to some megabytes: more than the system keeps for who does not read."""


def names(events):
    return [event.name for event in events]


def activities(events):
    return [event.data["activity"]["id"] for event in events if event.name == "activity"]


@pytest.fixture
def run(url):
    """Statements on another connection, each its own transaction."""
    with by_hand(url) as cursor:
        yield cursor.execute


def test_what_others_write_comes_as_it_is_committed(family, run):
    with family.bob.follows() as stream:
        assert names(stream.hears("ready")) == ["ready"]
        sang = family.alice.writes(family.group, "sang")
        assert activities(stream.hears("activity")) == [sang]
        run(f"UPDATE groups SET name = 'Kin' WHERE id = {family.group}")
        assert stream.hears("group")[-1].data == {
            "groupId": family.group,
            "group": family.bob.ask("GET", f"/api/groups/{family.group}").said,
        }
        run(f'UPDATE groups SET "callStatus" = true WHERE id = {family.group}')
        assert stream.hears("callStatus")[-1].data == {"groupId": family.group, "callStatus": True}


def test_who_is_rung_is_told_to_the_group_and_so_is_what_came_of_it(family, run):
    bob, ring = family.bob.pk, f"/api/groups/{family.group}/ring"
    device = {"identity": f"u_{bob}", "Address": f"phone{bob}", "BindingType": "fcm"}
    assert family.bob.ask("POST", "/api/voice/registerBinding", device).status == 201
    with family.bob.follows() as stream:
        stream.hears("ready")
        assert family.alice.ask("POST", ring, {"userIds": [bob]}).said["ringing"] == [{"userId": bob, "by": ["app"]}]
        events = stream.hears("ring")
        assert events[-1].data == {"groupId": family.group, "userId": bob, "state": "ringing"}
        assert [event.data["activity"]["activity"] for event in events if event.name == "activity"] == [
            "is being called to join"
        ]
        run(f"UPDATE rings SET state = 'noAnswer' WHERE \"groupId\" = {family.group}")
        assert stream.hears("ring")[-1].data["state"] == "noAnswer"
        run(f'DELETE FROM rings WHERE "groupId" = {family.group}')
        run(f'UPDATE groups SET "callStatus" = true WHERE id = {family.group}')
        assert names(stream.hears("callStatus")) == ["group", "callStatus"]


def test_who_joins_by_a_link_is_seen_to_come_and_hears_of_their_new_group(family):
    token = family.alice.ask("POST", f"/api/groups/{family.group}/invitationLinks", {}).said["token"]
    dave = Person(family.bob.port, f"dave{family.group}@example.com")
    with family.bob.follows() as bobs, dave.follows() as daves:
        bobs.hears("ready")
        daves.hears("ready")
        assert dave.ask("POST", f"/api/groups/invitations/{token}/accept").status == 200
        people = bobs.hears("groupMembers")[-1].data["groupMembers"]
        assert dave.pk in [each["userId"] for each in people]
        (ref,) = daves.hears("groups")[-1].data["groupsBelongedTo"]
        assert ref["groupId"] == family.group
    dave.connection.close()


def test_who_was_cut_off_hears_what_they_missed_and_nothing_twice(family, run):
    with family.bob.follows() as stream:
        stream.hears("ready")
        before = family.alice.writes(family.group, "spoke")
        stream.hears("activity")
        place = stream.place
    missed = [family.alice.writes(family.group, word) for word in ("sang", "danced", "slept")]
    run(f"UPDATE groups SET name = 'Kin' WHERE id = {family.group}")
    with family.bob.follows(place) as stream:
        heard = stream.hears("group", groupId=family.group)
        after = family.alice.writes(family.group, "woke")
        heard += stream.hears("activity")
    assert before not in activities(heard)
    assert activities(heard) == [*missed, after]
    assert "reset" not in names(heard)


def test_a_stream_ends_with_the_token_that_it_was_opened_by(family):
    bearer = {"Authorization": f"Bearer {local_token(family.bob.email, seconds=2 - LEEWAY)}"}
    with Stream(family.bob.port, bearer) as stream:
        assert names(stream.ends()) == ["ready"]
        assert stream.is_over
    with Stream(family.bob.port, bearer) as refused:
        assert refused.status == 401


def test_who_is_disabled_is_told_nothing_more(family, run):
    with family.bob.follows() as stream:
        stream.hears("ready")
        run(f"UPDATE users SET is_active = false WHERE id = {family.bob.pk}")
        family.alice.writes(family.group, "sang")
        assert stream.ends() == []
        assert stream.is_over
    with family.bob.follows() as refused:
        assert refused.status == 403


def test_who_is_removed_is_told_that_and_goes_on_without_the_group(family, run):
    work = family.alice.founds("Work", family.bob)
    with family.bob.follows() as stream:
        stream.hears("ready")
        family.alice.ask("DELETE", f"/api/groups/{family.group}/groupMembers/{family.bob.pk}")
        assert stream.hears("group")[-1].data == {"groupId": family.group, "group": None}
        family.alice.writes(family.group, "told a secret")
        written = family.alice.writes(work, "worked")
        heard = stream.hears("activity")
    assert activities(heard) == [written]
    assert all(event.data.get("groupId") != family.group for event in heard)


def test_who_reads_too_slowly_is_dropped_and_goes_on_when_they_come_again(family, url):
    with by_hand(url) as cursor:
        groups, told = more_groups(cursor, family), []
        with family.bob.follows(receives=4096) as slow, family.alice.follows() as quick:
            slow.hears("ready")
            quick.hears("ready")
            for group in groups:
                cursor.execute(many_activities(family.alice.pk, [group]))
                told += activities(quick.hears("activity", groupId=group, activity=newest_of(family.alice, group)))
            heard = activities(slow.ends())
            assert not slow.is_over
        with family.bob.follows(slow.place) as stream:
            stream.hears("ready")
            written = family.alice.writes(family.group, "slept")
            again = stream.hears("activity", groupId=family.group)
    assert len(told) == len({*told}) == GROUPS * MANY
    assert heard == told[: len(heard)]
    if "reset" not in names(again):  # it depends on how much the system kept for them
        heard += activities(again)
        assert sorted(heard) == [*sorted(told), written]


def test_who_missed_too_much_reads_everything_again(family, url):
    with by_hand(url) as cursor:
        groups = more_groups(cursor, family)
        with family.bob.follows() as stream:
            stream.hears("ready")
        cursor.execute(many_activities(family.alice.pk, groups))
        with family.bob.follows(stream.place) as again:
            again.hears("reset")
            written = family.alice.writes(family.group, "slept")
            assert activities(again.hears("activity")) == [written]


def newest_of(person, group):
    """As it is told. Numbers are given in the order of ids here."""
    return max(person.ask("GET", f"/api/groups/{group}/activities").said, key=lambda each: each["id"])


def more_groups(cursor, family):
    """Of both: their ids."""
    cursor.execute(f"{counted(GROUPS)} INSERT INTO groups (name) SELECT 'Choir' FROM n")
    cursor.execute(f"SELECT id FROM groups ORDER BY id DESC LIMIT {GROUPS}")
    groups = [pk for (pk,) in cursor.fetchall()]
    for person in (family.alice, family.bob):
        cursor.execute(
            f'INSERT INTO "usersGroupsMembership" ("userId", "groupId") '
            f"SELECT {person.pk}, id FROM groups WHERE id IN ({listed(groups)})"
        )
    return groups


def many_activities(person, groups):
    return (
        f'{counted(MANY)} INSERT INTO activities ("userId", "groupId", activity) '
        f"SELECT {person}, groups.id, '{'x' * 120}' FROM n, groups WHERE groups.id IN ({listed(groups)})"
    )


def listed(ids):
    return ", ".join(map(str, ids))


def counted(most):
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})"


def test_who_closes_their_side_is_gone_and_gives_back_their_place(family):
    with family.bob.follows() as stream:
        stream.hears("ready")
        stream.socket.shutdown(socket.SHUT_WR)
        assert stream.ends() == []


@pytest.mark.parametrize("place", ["9" * 3000, "%00", "-1"], ids=["long", "coded", "negative"])
def test_a_place_that_is_none_is_answered_by_a_reset_and_followed_from_there(family, place):
    with family.bob.follows(place) as stream:
        assert names(stream.hears("reset")) == ["ready", "reset"]
        written = family.alice.writes(family.group, "sang")
        assert activities(stream.hears("activity")) == [written]


def test_a_mebibyte_of_a_place_is_refused_and_hurts_nobody(family):
    with family.alice.follows() as other:
        other.hears("ready")
        try:
            with family.bob.follows("A" * 2**20) as stream:
                assert stream.status == 431
        except ConnectionError:  # it was answered before all of it was sent
            pass
        written = family.bob.writes(family.group, "sang")
        assert activities(other.hears("activity")) == [written]


def test_of_two_who_use_a_ticket_at_once_one_is_let_in(family):
    ticket = family.bob.ask("POST", "/api/live/tickets").said["ticket"]
    with ThreadPoolExecutor(4) as pool:
        streams = [*pool.map(lambda _: Stream(family.bob.port, {}, query=f"?ticket={ticket}"), range(4))]
    assert sorted(stream.status for stream in streams) == [200, 401, 401, 401]
    for stream in streams:
        stream.close()


def test_whoever_has_twenty_streams_open_has_the_next_one_once_they_close_one(family):
    streams = [family.bob.follows() for _ in range(MOST_OF_ONE)]
    with family.bob.follows() as refused:
        assert (refused.status, refused.answer.headers["Retry-After"]) == (429, "30")
    streams.pop().close()
    while True:
        with family.bob.follows() as again:
            if again.status == 200:
                break
    for stream in streams:
        stream.close()


def test_a_stream_stays_open_when_its_connections_to_the_database_are_cut(on_postgresql, family, run):
    with family.bob.follows() as stream:
        stream.hears("ready")
        run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        run(f"UPDATE groups SET name = 'Kin' WHERE id = {family.group}")
        assert stream.hears("group")[-1].data["group"]["name"] == "Kin"
        run(insertion(family, family.group))
        assert len(activities(stream.hears("activity"))) == 1


def test_a_stream_stays_open_while_postgresql_restarts(on_postgresql):
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(temporary_cluster())
        except MissingError as missing:
            pytest.skip(str(missing))
        manage({**os.environ, "DATABASE_URL": cluster.url}, "migrate", "--noinput", "--verbosity", "0")
        server = stack.enter_context(served(cluster.url, SIGN_IN="on"))
        alice, bob = (Person(server.port, f"{name}@example.com") for name in ("alice", "bob"))
        group = alice.founds("Family", bob)
        stream = stack.enter_context(bob.follows())
        stream.hears("ready")
        cluster.stop("fast")
        sleep(1.5)  # meanwhile the server looks, and finds nothing
        cluster.start()
        with by_hand(cluster.url) as cursor:
            cursor.execute(f"UPDATE groups SET name = 'Kin' WHERE id = {group}")
        assert stream.hears("group")[-1].data["group"]["name"] == "Kin"
        for each in (alice, bob):
            each.connection.close()


def test_of_writers_who_commit_out_of_order_each_is_told_of(on_postgresql, family, url, run):
    work = family.alice.founds("Work", family.bob)
    with family.bob.follows() as stream, by_hand(url, is_committed=False) as early:
        stream.hears("ready")
        early.execute(insertion(family, family.group))
        run(insertion(family, work))
        first = stream.hears("activity", groupId=work)
        early.connection.commit()
        second = stream.hears("activity", groupId=family.group)
    assert activities(first) > activities(second)


def test_of_writers_in_one_group_each_is_told_of_in_the_order_of_their_commits(on_postgresql, family, url, run):
    with family.bob.follows() as stream, by_hand(url, is_committed=False) as early, ThreadPoolExecutor(1) as pool:
        stream.hears("ready")
        early.execute("SELECT nextval(pg_get_serial_sequence('activities', 'id'))")
        [(low,)] = early.fetchall()
        run(insertion(family, family.group))
        heard = stream.hears("activity")
        early.execute(insertion(family, family.group, pk=low))
        late = pool.submit(run, insertion(family, family.group))
        early.connection.commit()
        late.result()
        heard += stream.hears("activity") + stream.hears("activity")
    high, then, last = activities(heard)
    assert (then, high) == (low, low + 1)
    assert last > high


def insertion(family, group, pk=None):
    return (
        'INSERT INTO activities (id, "userId", "groupId", activity) '
        f"VALUES ({pk or 'DEFAULT'}, {family.alice.pk}, {group}, 'sang')"
    )
