"""What years have left: each kind of mess is told, and put right or kept."""

import pytest
from django.db import connection

from tests.adoption.conftest import empty, family
from tests.adoption.first import Old, adopted, ask, count_of

LONG = "x" * 300
PICTURE = f"https://example.com/{'a' * 236}"
"""As long as its column, and no longer."""


def messy(old):
    """The family's database, and all that can be wrong with one, on either database."""
    family(old)
    old.person(10, " spaces@example.com ")
    old.person(11, "", displayName="")
    old.person(12, "not an address", last4="42", avatar="javascript:alert(1)")
    old.person(13, "Ünal@example.com", accountBalance=1, stripeId="cus_unal", last4="1111")
    old.person(14, "Ünal@EXAMPLE.com", accountBalance=2.5, stripeId="cus_second", last4="2222", lastName="Ü")
    old.person(15, "shares@example.com", stripeId="cus_rose", last4="9999")
    old.person(16, "empty@example.com", stripeId="", last4="", avatar="", displayName="\u200b")
    old.person(17, "owes@example.com", accountBalance=-0.75)
    old.person(18, "@example.com", displayName="n" * 128, avatar=PICTURE, phoneNumber=0)
    old.person(19, "name@", last4="٤٢٤٢")
    old.person(20, "bare@example.com", stripeId="cus_bare")
    old.person(21, "Bare@example.com", stripeId="cus_card", last4="3333")
    old.person(22, "digits@example.com")
    old.person(23, "Digits@example.com", last4="5555")
    old.group(10, name=" ")
    old.part("usersGroupsMembership", None, 1)
    old.part("usersGroupsMembership", 2, None)
    for person, day in ((18, 2), (17, 3), (18, 1)):
        old.part("usersGroupsMembership", person, 10, createdAt=f"2019-06-0{day} 10:00:00")
    old.part("usersGroupsOwnership", 14, 2, createdAt=None)
    old.did(100, 14, 2, createdAt=None, activity="")
    old.call(10, sid=f"CA{1:032x}", userId=2, groupId=1, price=0.02, startTime="soon", endTime="later", duration=3)
    old.call(11, startTime="2019-04-14T10:00:00Z", endTime="2019-04-14T09:00:00Z", duration=1)
    old.call(
        12, sid="17", startTime="Sun Apr 14 2019 10:00:00 GMT+0000 (UTC)", endTime="Sun, 14 Apr 2019 10:00:40 +0000"
    )
    return old


@pytest.fixture(scope="module")
def taken(django_db_setup, tmp_path_factory):
    """(the database, what was said): taken over once for all of these tests, which only look."""
    with empty(tmp_path_factory, "messy") as url:
        old = messy(Old(url).make())
        yield old, adopted(url)


@pytest.fixture(scope="module")
def said(taken):
    return taken[1]


@pytest.fixture(scope="module")
def person(taken):
    rows = taken[0].run(
        'SELECT id, email, "displayName", "firstName", "lastName", avatar, "phoneNumber", "stripeId", last4, '
        '"accountBalance", "createdAt", "emailKey" FROM users'
    )
    names = ["id", "email", "name", "first", "last", "avatar", "phone", "customer", "last4", "micros", "created", "key"]
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def test_e_mails_that_differ_by_case_are_one_person_and_the_lowest_id_stays(taken, person, said):
    old, _ = taken
    assert count_of(said, "people whose e-mail is another's, but for its case") == 4
    assert (person[1]["email"], person[1]["first"]) == ("Rose@example.com", "Rosie")
    assert not {7, 14, 21, 23} & set(person)
    assert old.run('SELECT count(*) FROM activities WHERE "userId" = 1') == [(20,)]
    assert old.run('SELECT "userId" FROM "callSessions" WHERE id = 1') == [(1,)]
    assert old.run('SELECT "userId" FROM "usersGroupsOwnership" WHERE "groupId" = 2') == [(13,)]


def test_their_money_is_added_with_an_entry_for_each_old_balance(taken, person):
    old, _ = taken
    entries = old.run(
        'SELECT reference, kind, amount_micros, balance_after_micros FROM "ledgerEntries" ORDER BY account_id, id'
    )
    assert entries == [
        ("opening:1", "opening_balance", 12_500_000, 12_500_000),
        ("opening:7", "opening_balance", 2_250_000, 14_750_000),
        ("opening:13", "opening_balance", 1_000_000, 1_000_000),
        ("opening:14", "opening_balance", 2_500_000, 3_500_000),
        ("opening:17", "opening_balance", -750_000, -750_000),
    ]
    assert (person[13]["micros"], person[17]["micros"], person[2]["micros"]) == (3_500_000, -750_000, None)


def test_each_keeps_one_stripe_customer_with_its_card_and_operators_are_told_of_the_others(taken, person, said):
    old, _ = taken
    assert (person[13]["customer"], person[13]["last4"]) == ("cus_unal", "1111")
    assert (person[1]["customer"], person[1]["last4"]) == ("cus_rose", "4242")
    assert (person[20]["customer"], person[20]["last4"]) == ("cus_card", "3333")
    assert (person[22]["customer"], person[22]["last4"]) == (None, "5555")
    assert person[15]["customer"] is None
    assert person[16]["customer"] is None
    assert count_of(said, "Stripe customers beside the one that a person keeps") == 3
    causes = old.run('SELECT cause FROM "paymentNotices" ORDER BY cause')
    assert causes == [("adoption:13:cus_second",), ("adoption:15:cus_rose",), ("adoption:20:cus_bare",)]


def test_last_digits_that_are_not_four_are_filled_or_left_empty(person, said):
    assert (person[12]["last4"], person[16]["last4"], person[19]["last4"]) == ("0042", None, None)
    assert count_of(said, "last digits of cards that are not four") == 2


def test_spaces_around_an_e_mail_are_taken_off(person, said):
    assert person[10]["email"] == person[10]["key"] == "spaces@example.com"
    assert count_of(said, "people with spaces around their e-mail") == 1


def test_who_has_no_e_mail_has_a_placeholder_and_a_name(person, said):
    assert (person[11]["email"], person[11]["name"]) == ("person-11@adopted.invalid", "person-11")
    assert count_of(said, "people without an e-mail that can be kept") == 1


def test_what_is_no_e_mail_stays_and_is_told(person, said):
    assert [person[pk]["email"] for pk in (12, 18, 19)] == ["not an address", "@example.com", "name@"]
    assert count_of(said, "people whose e-mail is none") == 3


def test_who_has_no_name_that_shows_is_called_by_their_e_mail(person, said):
    assert person[16]["name"] == "empty"
    assert count_of(said, "people without a name that shows") == 2


def test_a_picture_that_no_page_may_open_is_no_picture(person, said):
    assert (person[12]["avatar"], person[2]["avatar"]) == (None, "https://example.com/tom.jpg")
    assert count_of(said, "pictures whose address is too long, or none") == 1


def test_what_is_as_long_as_its_column_stays_whole(person, said):
    assert (person[18]["name"], person[18]["avatar"]) == ("n" * 128, PICTURE)
    assert count_of(said, "is longer than") == 0


def test_a_number_that_was_never_given_is_nothing_to_tell(person, said):
    assert person[18]["phone"] is None
    assert count_of(said, "phone numbers that are none") == 0


def test_phone_numbers_stay_as_written_and_prove_nothing(taken, person):
    old, _ = taken
    assert person[1]["phone"] == 5550123
    assert old.run('SELECT count(*) FROM "verifiedNumbers"') == [(0,)]


def test_rows_of_nobody_and_of_no_group_are_left_out(said):
    assert count_of(said, "members: rows of a person who is gone") == 1
    assert count_of(said, "members: rows that name no group") == 1


def test_of_several_rows_of_one_person_in_one_group_the_oldest_stays(taken, said):
    old, _ = taken
    kept = old.run('SELECT "userId", "createdAt" FROM "usersGroupsMembership" WHERE "groupId" = 1 ORDER BY id')
    assert [(user, str(time)[:16]) for user, time in kept] == [(1, "2019-05-01 09:00"), (2, "2019-05-02 10:00")]
    assert count_of(said, "members: rows of one person in one group beside their first") == 3


def test_who_came_first_stands_first_whatever_their_id(taken):
    kept = taken[0].run('SELECT "userId", "createdAt" FROM "usersGroupsMembership" WHERE "groupId" = 10 ORDER BY id')
    assert [(user, str(time)[:10]) for user, time in kept] == [(18, "2019-06-01"), (17, "2019-06-03")]


def test_a_name_or_an_activity_that_is_empty_has_words(taken, said):
    old, _ = taken
    assert old.run("SELECT name FROM groups WHERE id = 10") == [("A group",)]
    assert old.run("SELECT activity FROM activities WHERE id = 100") == [("(nothing was written)",)]
    assert count_of(said, "groups with an empty name") == count_of(said, "activities with an empty activity") == 1


def test_what_has_no_time_is_older_than_all_else(taken, said):
    old, _ = taken
    found = old.run('SELECT "createdAt" FROM activities WHERE id = 100')
    assert str(found[0][0]).startswith("2019-03-20 00:00:00")
    assert count_of(said, "activities without a time that can be read") == 1
    assert count_of(said, "owners without a time that can be read") == 1


def test_a_group_without_an_owner_is_told(said):
    assert count_of(said, "groups that nobody owns") == 1


def test_calls_stay_and_are_posted_to_nobody(taken, said):
    old, _ = taken
    found = old.run('SELECT id, sid, duration, price, payer_id, status FROM "callSessions" ORDER BY id')
    assert found == [
        (1, f"CA{1:032x}", 150, -17_000, None, "completed"),
        (2, "adopted:2", None, None, None, "completed"),
        (10, "adopted:10", 180, -20_000, None, "completed"),
        (11, "adopted:11", 60, None, None, "completed"),
        (12, "adopted:12", 40, None, None, "completed"),
    ]
    assert count_of(said, "calls without a sid of Twilio's of their own") == 4
    assert count_of(said, "calls with a price above zero") == 1
    assert count_of(said, "calls that end before their start") == 1


def test_no_call_of_before_is_still_running(taken, said):
    old, _ = taken
    assert old.run('SELECT count(*) FROM "callSessions" WHERE "endTime" IS NULL') == [(0,)]
    assert count_of(said, "calls without an end that can be read") == 2


def test_the_table_says_that_all_agrees(said):
    lines = {
        line.split("  ")[0].strip(): line.split()[-1] for line in said.splitlines() if line.endswith(("yes", "NO"))
    }
    assert len(lines) == 11
    assert set(lines.values()) == {"yes"}


# What PostgreSQL would have refused

SQLITE_ONLY = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's columns have types")


def test_rows_whose_person_or_group_is_gone_are_left_out(free):
    free.part("usersGroupsMembership", 99, 1)
    free.part("usersGroupsInvitations", 1, 99)
    free.did(50, 99, 1)
    free.did(51, 1, 99)
    free.call(50, userId=99, groupId=99)
    said = adopted(free.url)
    assert count_of(said, "members: rows of a person who is gone") == 1
    assert count_of(said, "invitees: rows of a group that is gone") == 1
    assert (
        count_of(said, "activities of a person who is gone")
        == count_of(said, "activities of a group that is gone")
        == 1
    )
    assert free.run('SELECT "userId", "groupId" FROM "callSessions" WHERE id = 50') == [(99, 99)]
    free.run("INSERT INTO users (email, \"displayName\") VALUES ('new@example.com', 'New')")
    free.run("INSERT INTO groups (name) VALUES ('New')")
    next_ones = free.run("SELECT max(users.id), max(groups.id) FROM users, groups")
    assert next_ones == [(100, 100)], "somebody new has the id of who is gone, and their calls"


@SQLITE_ONLY
def test_what_columns_without_types_let_in_is_put_right(old):
    old.run('UPDATE users SET "displayName" = %s, "firstName" = %s, "callStatus" = \'yes\' WHERE id = 2', [LONG, 5])
    old.run("UPDATE users SET \"phoneNumber\" = '555-0123', \"accountBalance\" = 'much' WHERE id = 2")
    old.run("UPDATE groups SET name = %s, \"phoneNumber\" = '+1 202 555 0199 x2', \"callStatus\" = 'perhaps'", [LONG])
    old.run('UPDATE activities SET activity = %s, "createdAt" = 1577872800000 WHERE id = 1', [LONG])
    old.run("INSERT INTO \"usersGroupsMembership\" VALUES ('nobody', 'nowhere', 'never')")
    old.person(20, f"{LONG}@example.com")
    said = adopted(old.url)
    person = old.run('SELECT length("displayName"), "firstName", "callStatus", "phoneNumber" FROM users WHERE id = 2')
    assert person == [(128, "5", 1, None)]
    assert old.run('SELECT length(name), "phoneNumber", "callStatus" FROM groups') == [(128, "120255501992", 0)] * 2
    assert old.run('SELECT length(activity), "createdAt" FROM activities WHERE id = 1') == [
        (128, "2020-01-01 10:00:00")
    ]
    assert old.run("SELECT email FROM users WHERE id = 20") == [("person-20@adopted.invalid",)]
    for words, count in (
        ("people whose displayName is longer than 128 letters", 1),
        ("phone numbers that are none", 1),
        ("balances that are no amount", 1),
        ("groups whose callStatus is neither true nor false", 2),
        ("groups with a phone number of more than 12 letters", 2),
        ("members: rows that name no group", 1),
    ):
        assert count_of(said, words) == count, words


@pytest.mark.parametrize("kind", ["real", "numeric(12, 8)"])
def test_balances_of_any_type_are_exact_and_rounding_is_told(url, kind):
    old = Old(url).make(balance=kind)
    amounts = {"real": (12.34, 0.1), "numeric(12, 8)": ("12.34567891", "0.1")}[kind]
    for number, amount in enumerate(amounts, start=1):
        old.person(number, f"p{number}@example.com", accountBalance=amount)
    said = adopted(old.url)
    shown = [int(row[0]) for row in old.run('SELECT "accountBalance" FROM users ORDER BY id')]
    assert (
        shown
        == {
            "real": [12_340_000, 100_000],
            "numeric(12, 8)": [12_345_679, 100_000],
        }[kind]
    )
    assert count_of(said, "balances rounded to the nearest micro-dollar") == (kind.startswith("numeric"))
    assert ("Rounding balances adds up to +0.00000009 dollars" in said) == kind.startswith("numeric")
    assert ask(url, "/api/users/2/accountBalance")[0][0] == 200


@pytest.mark.parametrize("shape", ["numbers", "none"])
def test_calls_of_the_table_s_other_shapes(old, shape):
    """The first one had numbers of seconds, and no sid and no price; before it there was no such table."""
    old.run('DROP TABLE "callSessions"')
    if shape == "numbers":
        old.run(
            'CREATE TABLE "callSessions" (id integer PRIMARY KEY, "userId" integer, "groupId" integer, '
            '"startTime" integer, "endTime" integer, duration integer, "numOfParticipants" integer)'
        )
        old.insert("callSessions", id=1, userId=1, groupId=1, startTime=1000000000, endTime=1000000060, duration=60)
    said = adopted(old.url)
    assert "The ledger is sound." in said
    calls = old.run('SELECT sid, duration FROM "callSessions"')
    assert calls == ([("adopted:1", 60)] if shape == "numbers" else [])
