import pytest

from voice.models import Call

KEYS = ["sid", "from", "to", "price", "priceUnit", "duration"]
KEYS += ["startTime", "endTime", "status", "direction", "groupId", "userId"]


@pytest.fixture
def calls(group, alice):
    Call.objects.bulk_create(
        Call(sid=f"CA{number}", group_id=group.pk, user_id=alice.pk, price_micros=-8_500 * number, duration=60 * number)
        for number in range(1, 4)
    )
    Call.objects.create(sid="CA9", group_id=999)


@pytest.mark.alone
def test_all_calls_are_listed_with_their_total(api, calls):
    answer = api.get("/api/billing/allTwilioCharges").json()
    assert answer["total"] == -0.051
    assert [call["price"] for call in answer["allTwilioChargesRes"]] == [-0.0085, -0.017, -0.0255, None]
    assert list(answer["allTwilioChargesRes"][0]) == KEYS


@pytest.mark.alone
def test_a_call_is_from_who_calls_to_what_was_dialled(api, group):
    Call.objects.create(sid="CA1", group_id=group.pk, caller="client:u_7", called="+12025550100")
    (call,) = api.get("/api/billing/allTwilioCharges").json()["allTwilioChargesRes"]
    assert (call["from"], call["to"]) == ("client:u_7", "+12025550100")


def test_a_page_keeps_the_total_of_all(api, calls):
    answer = api.get("/api/billing/allTwilioCharges?limit=2")
    assert (len(answer.json()["allTwilioChargesRes"]), answer.json()["total"]) == (2, -0.051)
    assert 'rel="next"' in answer["Link"]


@pytest.mark.alone
def test_without_calls_the_total_is_zero(api, db):
    assert api.get("/api/billing/allTwilioCharges").json() == {"allTwilioChargesRes": [], "total": 0}


def test_a_groups_calls_are_summed(api, calls, group):
    answer = api.post("/api/billing/groupTwilioCharges", {"groupId": str(group.pk)})
    assert answer.json() == {"sumOfGroupTwilioCharges": -0.051}


@pytest.mark.parametrize(("group_id", "status"), [(999, 404), ("x", 400), (None, 400)])
def test_a_bad_group_is_refused(api, calls, group_id, status):
    assert api.post("/api/billing/groupTwilioCharges", {"groupId": group_id}).status_code == status
