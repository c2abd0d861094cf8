"""5, 5.0 and 5e0 are one JSON number: who keeps a map of numbers sends any of them. In a form it is text."""

import pytest

from groups.models import Device, Membership
from tests.neighbours import ours

pytestmark = pytest.mark.django_db
WRITTEN = ["{}", "{}.0", "{}e0", "{}.000", "{}0E-1"]
FORM = "application/x-www-form-urlencoded"
every_way = pytest.mark.parametrize("written", WRITTEN)


def post(api, path, body, kind="application/json", method="POST"):
    return api.generic(method, path, body, content_type=kind)


@every_way
@pytest.mark.parametrize("kind", ["application/json", FORM])
def test_an_id_in_a_body_is_it_however_it_is_written(api, group, dave, written, kind):
    number = written.format(dave.pk)
    body = f"userId={number}" if kind == FORM else f'{{"userId": {number}}}'
    assert post(api, f"/api/groups/{group.pk}/groupMembers", body, kind).status_code == 201
    assert ours(Membership).filter(group=group, user=dave).exists()


@every_way
@pytest.mark.parametrize("kind", ["application/json", FORM])
def test_a_persons_phone_number_is_it_however_it_is_written(api, alice, written, kind):
    number = written.format(12025550123)
    body = f"phoneNumber={number}" if kind == FORM else f'{{"phoneNumber": {number}}}'
    answer = post(api, f"/api/users/{alice.pk}", body, kind, "PUT")
    assert answer.json()["phoneNumber"] == 12025550123


@pytest.mark.parametrize(("number", "status"), [(2**63 - 1, 404), (2**63, 400)])
def test_the_largest_id_is_one_and_may_be_nobodys(api, group, number, status):
    assert api.post(f"/api/groups/{group.pk}/groupMembers", {"userId": number}).status_code == status


def test_of_fields_that_cannot_be_changed_twenty_are_named(api, group):
    answer = api.put(f"/api/groups/{group.pk}", {f"field{number}": 1 for number in range(21)})
    assert (answer.status_code, len(answer.json()["errors"])) == (400, 20)


def test_a_phone_number_may_be_written_as_java_prints_a_double(api, alice):
    answer = post(api, f"/api/users/{alice.pk}", '{"phoneNumber": 1.2025550123E10}', method="PUT")
    assert answer.json()["phoneNumber"] == 12025550123


@every_way
def test_a_groups_phone_number_keeps_its_digits(api, db, written):
    body = f'{{"name": "Family", "phoneNumber": {written.format(5550123)}}}'
    assert post(api, "/api/groups", body).json()["phoneNumber"] == "5550123"


@every_way
@pytest.mark.parametrize("kind", ["application/json", FORM])
def test_cents_are_whole_however_they_are_written(api, alice, written, kind):
    alice.stripe_id = api.post("/api/users", {"email": alice.email}).json()["stripeId"] or "cus_1"
    alice.save()
    number = written.format(50)  # too little: refused for that alone
    fields = {"userStripeId": alice.stripe_id, "amountToAdd": number}
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    if kind != FORM:
        body = f'{{"userStripeId": "{alice.stripe_id}", "amountToAdd": {number}}}'
    answer = post(api, "/api/billing/createCharge", body, kind)
    assert (answer.status_code, list(answer.json())) == (200, ["errorMessage"])


@every_way
def test_the_group_of_a_notification_and_of_charges_is_found(api, group, written):
    body = f'{{"groupId": {written.format(group.pk)}}}'
    assert post(api, "/api/voice/sendNotification", body).json()["groupId"] == group.pk
    assert post(api, "/api/billing/groupTwilioCharges", body).status_code == 200


def test_a_group_is_counted_as_one_however_its_id_is_written(api, group, settings):
    settings.THROTTLE_NOTIFICATIONS = (1, 60)
    bodies = [f"groupId={written.format(group.pk)}" for written in WRITTEN]
    statuses = [post(api, "/api/voice/sendNotification", body, FORM).status_code for body in bodies]
    assert statuses == [200, 429, 429, 429, 429]


@every_way
def test_tags_are_groups_however_they_are_written(api, group, written):
    number = written.format(group.pk)
    post(api, "/api/voice/registerBinding", f'{{"identity": "a", "Address": "t", "tags": [{number}]}}')
    post(api, "/api/voice/registerBinding", f"identity=a&Address=u&tags={number}", FORM)
    assert [[int(tag) for tag in device.tag_ids()] for device in ours(Device).order_by("id")] == [[group.pk]] * 2


@every_way
@pytest.mark.parametrize("kind", ["application/json", FORM])
def test_a_caller_names_the_group_however_its_id_is_written(api, group, written, kind):
    number = written.format(group.pk)
    answer = post(api, "/api/voice/makeCall", f"to={number}" if kind == FORM else f'{{"to": {number}}}', kind)
    assert f">{group.pk}</Conference>" in answer.content.decode()


@pytest.mark.parametrize(
    "number",
    [
        "1.5",
        "1e-1",
        "-1.0",
        "1e30",
        "1e999999999999999999",
        pytest.param("9" * 4000, id="many digits"),
        "99999999999999999999999999999.0",
        "9223372036854775808.0",
        "true",
        '"1.0"',
        '"1e0"',
    ],
)
def test_what_is_not_whole_or_is_text_of_another_kind_is_refused(api, group, number):
    answer = post(api, f"/api/groups/{group.pk}/groupMembers", f'{{"userId": {number}}}')
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "userId")


@pytest.mark.parametrize("number", ["1.5", "-1.0", "1e400", "1.0.0", "NaN", "0x1", " 1.0", "01.0"])
def test_a_form_does_not_take_everything_for_a_number(api, group, number):
    assert post(api, f"/api/groups/{group.pk}/groupMembers", f"userId={number}", FORM).status_code == 400
