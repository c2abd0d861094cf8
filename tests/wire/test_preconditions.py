"""Writes that depend on what their client has read: `If-Match`, and `If-None-Match: *`."""

import pytest

from groups.models import Caption, Group, Participant
from tests.access.operations import served
from tests.access.rows import all_rows
from tests.neighbours import ours
from users.models import User
from users.notification_choices import choose
from users.sign_in.local_issuer import local_token
from voice.models import GroupCall

WRITES = sorted(each for each in served() if each.startswith(("PUT /api/", "DELETE /api/")))
READ_AND_WRITTEN = {
    "a group": ("put", "/api/groups/{group}", {"name": "New"}),
    "a group's call": ("put", "/api/groups/{group}/callStatus", {"callStatus": True}),
    "captions": ("put", "/api/groups/{group}/captions", {"language": "de-DE"}),
    "a call's lock": ("put", "/api/groups/{group}/call", {"locked": True}),
    "a rule": ("put", "/api/groups/{group}/call/endWhenAlone", {"endWhenAlone": False}),
    "a language": ("put", "/api/groups/{group}/call/language", {"language": "de-DE"}),
    "a person": ("put", "/api/users/{alice}", {"firstName": "New"}),
    "a balance": ("put", "/api/users/{alice}/accountBalance", {"accountBalance": 5}),
    "a card": ("put", "/api/users/{alice}/last4", {"last4": "4242"}),
    "choices": ("put", "/api/users/{alice}/notifications", {"sms": True}),
    "a group's end": ("delete", "/api/groups/{group}", None),
    "a person's end": ("delete", "/api/users/{alice}", None),
    "a call's end": ("delete", "/api/groups/{group}/callParticipants", None),
}
each_write = pytest.mark.parametrize(("method", "path", "body"), READ_AND_WRITTEN.values(), ids=READ_AND_WRITTEN)


@pytest.fixture
def ask(api, group, alice):
    Participant.objects.create(group=group, user=alice)

    def ask(method, path, body=None, **headers):
        known = {"group": group.pk, "alice": alice.pk, "group_id": group.pk, "user_id": alice.pk, "link_id": 1}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(api, method)(path.format(**known), body, headers=named)

    return ask


def refused(answer):
    return (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")


def change_all():
    ours(User).update(display_name="Meanwhile", account_balance_micros=5_000_000, last4="1111")
    ours(Group).update(name="Meanwhile", call_status=True)
    rules = {"end_when_alone": False, "language": "en-GB"}
    GroupCall.objects.update_or_create(group=ours(Group).get(), defaults=rules)
    Caption.objects.create(group=ours(Group).get(), display_name="Al", text="Hello")
    for person in ours(User).all():
        choose(user_id=person.pk, push=False)


def test_of_a_list_that_goes_on_on_another_page_the_first_one_has_a_tag_to_name(api, group):
    path, names = f"/api/groups/{group.pk}/callParticipants", range(1001)
    people = User.objects.bulk_create(User(email=f"p{name}@example.com", display_name="P") for name in names)
    Participant.objects.bulk_create(Participant(group=group, user=each) for each in people)
    page = api.get(path)
    assert (len(page.json()), "Link" in page) == (1000, True)
    assert api.delete(path, headers={"If-Match": page["ETag"]}).status_code == 200


@each_write
def test_what_has_not_changed_is_written(ask, method, path, body):
    etag = ask("get", path)["ETag"]
    assert ask(method, path, body, If_Match=etag).status_code == 200


@each_write
def test_what_has_changed_is_left_alone_and_said_how_it_stands(ask, method, path, body):
    old = ask("get", path)["ETag"]
    change_all()
    before, now = all_rows(), ask("get", path)["ETag"]
    answer = ask(method, path, body, If_Match=old)
    assert (refused(answer), answer["ETag"], all_rows()) == (True, now, before)


@pytest.mark.parametrize("write", WRITES)
def test_no_write_overlooks_the_condition(ask, write):
    method, path = write.split()
    before = all_rows()
    assert refused(ask(method.lower(), path, {}, If_Match='"old"'))
    assert all_rows() == before


def test_of_two_who_edit_a_name_the_second_hears_of_the_first(ask):
    path = "/api/groups/{group}"
    etag = ask("get", path)["ETag"]
    assert ask("put", path, {"name": "First"}, If_Match=etag).status_code == 200
    second = ask("put", path, {"name": "Second"}, If_Match=etag)
    assert refused(second)
    assert ask("get", path).json()["name"] == "First"
    assert ask("put", path, {"name": "Second"}, If_Match=second["ETag"]).json()["name"] == "Second"


@pytest.mark.parametrize("header", ["*", '"x", {etag}', '{etag},"x"', '"{bare}-gzip"', '"{bare}-br"'])
def test_a_list_of_tags_a_star_and_a_proxys_suffix_hold(ask, header):
    etag = ask("get", "/api/groups/{group}")["ETag"]
    named = header.format(etag=etag, bare=etag.strip('"'))
    assert ask("put", "/api/groups/{group}", {"name": "New"}, If_Match=named).status_code == 200


@pytest.mark.parametrize("header", ["W/{etag}", "{bare}", '"{bare}', "", "x", '"x"', '"{bare}x"', '"*"'])
def test_a_weak_tag_and_what_is_no_tag_never_hold(ask, header):
    etag = ask("get", "/api/groups/{group}")["ETag"]
    named = header.format(etag=etag, bare=etag.strip('"'))
    assert refused(ask("put", "/api/groups/{group}", {"name": "New"}, If_Match=named))


def test_what_must_not_be_there_is_left_alone_where_it_is(ask):
    etag = ask("get", "/api/groups/{group}")["ETag"]
    for excluded in ("*", etag, f"W/{etag}"):
        assert refused(ask("put", "/api/groups/{group}", {"name": "New"}, If_None_Match=excluded))
    assert ask("put", "/api/groups/{group}", {"name": "New"}, If_None_Match='"x"').status_code == 200


def test_what_cannot_be_read_has_no_tag(ask):
    path = "/api/groups/{group}/callParticipants/{alice}"
    answer = ask("delete", path, If_Match="*")
    assert (refused(answer), "ETag" in answer) == (True, False)
    assert ask("delete", path, If_None_Match="*").json() == []


def test_what_is_not_there_is_404_whatever_was_expected(ask):
    assert ask("put", "/api/groups/0", {"name": "New"}, If_Match="*").status_code == 404
    assert ask("delete", "/api/users/0", If_Match='"x"').status_code == 404


def test_a_write_that_is_wrong_in_itself_changes_nothing(ask):
    etag = ask("get", "/api/groups/{group}")["ETag"]
    assert ask("put", "/api/groups/{group}", {"name": ""}, If_Match=etag).status_code == 400


def test_the_tag_is_of_what_the_caller_sees(api, group, alice, bob, sign_in):
    path, leave = f"/api/users/{alice.pk}", {"callStatus": False}
    of = {user: {"Authorization": f"Bearer {local_token(user.email)}"} for user in (alice, bob)}
    profile, whole = (api.get(path, headers=of[user])["ETag"] for user in (bob, alice))
    assert refused(api.put(path, leave, headers={**of[bob], "If-Match": whole}))
    assert api.put(path, leave, headers={**of[bob], "If-Match": profile}).status_code == 200


def test_who_may_not_write_is_told_so_first(api, group, bob, sign_in):
    headers = {"Authorization": f"Bearer {local_token(bob.email)}", "If-Match": '"old"'}
    assert api.put(f"/api/groups/{group.pk}", {"name": "New"}, headers=headers).status_code == 403
    assert api.put(f"/api/groups/{group.pk}", {"name": "New"}, headers={"If-Match": '"old"'}).status_code == 401
