"""All that is kept about a person is in their export, and of other people nothing but the names that they show."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO

import pytest
from django.db import connections
from django.utils import timezone

from billing.models import Account
from groups.models import Activity, Group, InvitationLink, Membership, Ownership, Participant, Ring
from tests.conftest import person
from tests.export.conftest import unpacked
from users.models import User, VerifiedNumber
from voicechat.export.archive import write_export
from voicechat.export.contents import OWNERS, exported

NEVER = {
    "the digest of the code by which they dial in",
    "a former customer",
    "the client's key",
    "the session",
    "the street",
    "the phone's number with a plus",
}
"""Of what is known of her in that world: keys, sign-ins of operators, what is emptied once it is read, and the call of
a phone that was nobody's."""

pytestmark = pytest.mark.django_db


def test_of_each_table_it_is_known_whose_its_rows_are():
    assert {*OWNERS, "groups"} == set(exported())


def test_it_holds_what_is_kept(known, zdenka, export):
    tables, _ = export(zdenka)
    whole = json.dumps(tables, ensure_ascii=False)
    assert {what for what, words in known.items() if words not in whole} == NEVER
    assert all(list(row) == exported()[table] for table, rows in tables.items() if table != "groups" for row in rows)


def test_it_holds_the_group_to_which_somebody_is_only_invited(group, carol, export):
    tables, _ = export(carol)
    assert [row["id"] for row in tables["groups"]] == [group.pk]


def test_it_holds_nothing_of_whom_it_is_not(known, export, dave):
    tables, _ = export(dave)
    assert list(tables) == ["users"]
    assert not [words for words in known.values() if words in json.dumps(tables, ensure_ascii=False)]


@pytest.fixture
def rose(group, alice, bob, carol):
    """She belongs to the group, and the others there have secrets."""
    for number, user in enumerate((alice, bob, carol)):
        User.objects.filter(pk=user.pk).update(phone_number=12025550120 + number, stripe_id=f"cus_{user.pk}")
        VerifiedNumber.objects.create(user=user, number=f"+1202555012{number}", verified_at=timezone.now())
    rose = person("Rose")
    Membership.objects.create(group=group, user=rose)
    Participant.objects.create(group=group, user=bob)
    Ring.objects.create(group=group, user=rose, by=alice)
    Ring.objects.create(group=group, user=bob, by=rose)
    Activity.objects.create(group=group, user=alice, activity="Alice said hello")
    Activity.objects.create(group=group, user=rose, activity="Rose said hello")
    link = {"group": group, "nonce": "", "max_uses": 1, "expires_at": "2034-01-01T00:00Z"}
    InvitationLink.objects.create(**link, made_by=rose, digest="r", sent_to="grandma@example.com")
    Ownership.objects.create(group=Group.objects.create(name="Neighbours"), user=alice)
    return rose


def test_others_stand_in_it_as_the_group_saw_them(rose, export, group):
    tables, _ = export(rose)
    (shown,) = tables["groups"]
    assert shown["name"] == "Family"
    assert shown["usersGroupsOwnership"] == ["Alice"]
    assert shown["usersGroupsMembership"] == ["Alice", "Bob", "Rose"]
    assert (shown["usersGroupsInvitations"], shown["usersGroupsParticipants"]) == (["Carol"], ["Bob"])
    assert [(row["userId"], row["by_id"]) for row in tables["rings"]] == [("Rose", "Alice"), ("Bob", "Rose")]
    assert [row["activity"] for row in tables["activities"]] == ["Rose said hello"]


def test_each_group_has_its_own_people(rose, export, group, dave):
    choir = Group.objects.create(name="Choir")
    Membership.objects.create(group=choir, user=dave)
    Membership.objects.create(group=choir, user=rose)
    members = {shown["name"]: shown["usersGroupsMembership"] for shown in export(rose)[0]["groups"]}
    assert members == {"Family": ["Alice", "Bob", "Rose"], "Choir": ["Dave", "Rose"]}


def test_of_what_has_not_changed_it_is_the_same_all_day_byte_for_byte(rose):
    files = [BytesIO(), BytesIO()]
    for hour, file in zip((1, 23), files, strict=True):
        write_export(rose, file, now=datetime(2026, 1, 2, hour, 34, 56, tzinfo=UTC))
    assert files[0].getvalue() == files[1].getvalue()


class Interrupted(BytesIO):
    """Where an export is written to, and what somebody does meanwhile, by a connection of their own."""

    def __init__(self, does):
        super().__init__()
        self.does = [does]

    def write(self, content):
        while self.does:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(self.does.pop()).result()
        return super().write(content)


@pytest.mark.django_db(transaction=True)
def test_it_is_of_one_moment_whatever_is_written_meanwhile(on_postgresql, rose):
    def says_more():
        Activity.objects.create(group=Group.objects.get(name="Family"), user=rose, activity="Rose said more")
        connections.close_all()

    file = Interrupted(says_more)
    write_export(rose, file, now=timezone.now())
    assert [row["activity"] for row in unpacked(file.getvalue())[0]["activities"]] == ["Rose said hello"]
    assert Activity.objects.filter(activity="Rose said more").exists()


def test_of_others_there_is_no_address_and_no_number(rose, export):
    whole = json.dumps(export(rose)[0])
    for secret in ("alice@", "bob@", "carol@", "grandma@", "1202555012", "cus_", "Neighbours", "Alice said"):
        assert secret not in whole
    assert "rose@example.com" in whole


def test_its_words_say_what_each_file_is(rose, export):
    tables, words = export(rose)
    Account.objects.create(user=rose)
    assert words.startswith("All that Voice Chatroom keeps about Rose\n")
    for table, rows in tables.items():
        assert f"\n{table}.json: {len(rows)}\n" in words
    assert "\ncards: There is none of this.\n- what may be shown of their cards (they know them by it)." in words
    assert "as above" not in words
    assert "(whoever is rung hears it). Kept for a day.\n" in words
    assert "(they are told each thing once). Kept for 90 days.\n" in words
    assert "Kept for until" not in words
    assert "Kept for as" not in words
