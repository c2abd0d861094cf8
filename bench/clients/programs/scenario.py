# ruff: noqa: PT017, PT018  # a program, whose environment has no pytest
"""Calls every kind of route with the generated Python client, and keeps what was answered for others to read.

python scenario.py URL STAFF_TOKEN TOKEN FOLDER
"""

import json
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import openapi_client as client

URL, STAFF, OTHER, FOLDER = sys.argv[1:]
PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
read: list[str] = []


def apis(token: str) -> tuple[Any, ...]:
    made = client.ApiClient(client.Configuration(host=URL, access_token=token))
    return (
        client.UsersApi(made),
        client.GroupsApi(made),
        client.BillingApi(made),
        client.VoiceApi(made),
        client.UploadApi(made),
    )


def ask(api: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """The decoded answer. Nothing of what was sent may be lost in it."""
    answer = getattr(api, f"{name}_with_http_info")(*args, **kwargs)
    if answer.headers["Content-Type"] == "application/json":
        sent = json.loads(answer.raw_data)
        keep(answer.data, sent)
        assert as_sent(answer.data, sent) == sent, f"{name}: {as_sent(answer.data, sent)} is not {sent}"
    read.append(name)
    return answer.data


def as_sent(decoded: Any, sent: Any) -> Any:
    """The client leaves out what is null, and writes times in its own way."""
    plain = json.loads(json.dumps(client.ApiClient().sanitize_for_serialization(decoded)))
    return matched(plain, sent)


def matched(plain: Any, sent: Any) -> Any:
    if isinstance(sent, dict):
        return {name: matched(plain.get(name), value) for name, value in sent.items()}
    if isinstance(sent, list):
        return [matched(one, other) for one, other in zip(plain, sent, strict=True)]
    is_time = isinstance(sent, str) and sent.endswith("Z") and isinstance(plain, str) and plain[:19] == sent[:19]
    return sent if is_time else plain


def keep(decoded: Any, sent: Any) -> None:
    for one, raw in zip(decoded, sent, strict=True) if isinstance(decoded, list) else [(decoded, sent)]:
        kind = type(one).__name__
        Path(FOLDER, f"{kind}.{len(list(Path(FOLDER).glob(f'{kind}.*')))}.json").write_text(json.dumps(raw))


def refused(status: int, api: Any, name: str, *args: Any, **kwargs: Any) -> None:
    try:
        ask(api, name, *args, **kwargs)
    except client.ApiException as error:
        assert error.status == status, f"{name} is {error.status}: {error.body}"
        if isinstance(error.body, str):
            problem = client.Problem.from_json(error.body)
            assert problem is not None and problem.code, error.body
    else:
        raise AssertionError(f"{name} is not refused")


users, groups, billing, voice, upload = apis(STAFF)
others_users, others_groups, others_billing, *_ = apis(OTHER)

# People: whole for staff and oneself, the required keys alone of somebody else.
anna = ask(users, "users_create", client.SignUpRequest(email="anna@example.com"))
ben = ask(others_users, "users_create", client.SignUpRequest(email="ben@example.com", nickname="Ben 👋"))
assert anna.id and ben.display_name == "Ben 👋"
seen = ask(others_users, "users_retrieve", anna.id)
assert seen.email is None and seen.display_name, seen
assert ask(users, "users_retrieve", ben.id).email == ben.email
assert [each.id for each in ask(others_users, "users_list", limit=1)] == [anna.id]
assert ask(users, "users_list", search="ben")[0].id == ben.id
changed = ask(
    others_users,
    "users_update",
    ben.id,
    user_changes_request=client.UserChangesRequest(phoneNumber=12025550123, lastName="B"),
)
assert changed.phone_number == 12025550123
ask(
    users,
    "users_account_balance_update",
    ben.id,
    balance_change_request=client.BalanceChangeRequest(accountBalance=12.5),
)
assert ask(others_users, "users_account_balance_retrieve", ben.id).account_balance == "12.50"
ask(others_users, "users_last4_update", ben.id, last4_change_request=client.Last4ChangeRequest(last4="4242"))
assert ask(others_users, "users_last4_retrieve", ben.id).last4 == "4242"
assert ask(users, "users_last4_retrieve", anna.id).last4 is None
refused(404, users, "users_retrieve", 999)
refused(403, others_users, "users_account_balance_retrieve", anna.id)
refused(400, users, "users_create", client.SignUpRequest(email="nobody"))

# Groups, and the people around them.
group = ask(users and groups, "groups_create", client.NewGroupRequest(name="Family", phoneNumber="5550123"))
ask(groups, "groups_update", group.id, group_changes_request=client.GroupChangesRequest(name="The family"))
ask(groups, "groups_list")
ask(groups, "groups_retrieve", group.id)
ask(groups, "groups_group_invitees_create", group.id, client.UserIdRequest(userId=ben.id))
ask(groups, "groups_group_invitees_detailed_list", group.id)
ask(groups, "groups_group_invitees_list", group.id)
assert ask(others_users, "users_groups_invited_to_list", ben.id)[0].group_name == "The family"
ask(others_users, "users_detailed_retrieve", ben.id)
ask(others_groups, "groups_group_members_create", group.id, client.UserIdRequest(userId=ben.id))
ask(others_groups, "groups_group_invitees_destroy", group.id, ben.id)
ask(others_groups, "groups_group_members_list", group.id)
ask(others_groups, "groups_group_members_detailed_list", group.id)
ask(groups, "groups_group_owners_list", group.id)
ask(groups, "groups_group_owners_create", group.id, client.UserIdRequest(userId=anna.id))
ask(groups, "groups_group_owners_detailed_list", group.id)
ask(
    others_groups, "groups_activities_create", group.id, client.NewActivityRequest(userId=ben.id, activity="Said hello")
)
ask(others_groups, "groups_activities_list", group.id)
ask(others_groups, "groups_call_participants_create", group.id, client.UserIdRequest(userId=ben.id))
ask(others_groups, "groups_call_participants_list", group.id)
ask(
    groups,
    "groups_call_status_update",
    group.id,
    call_status_change_request=client.CallStatusChangeRequest(callStatus=True),
)
assert ask(groups, "groups_call_status_retrieve", group.id).call_status is True
detailed = ask(users, "users_detailed_retrieve", anna.id)
assert detailed.groups_owned[0].members[1].display_name == "Ben 👋"
ask(users, "users_groups_owned_list", anna.id)
ask(users, "users_groups_belonged_to_list", anna.id)
refused(409, groups, "groups_group_owners_destroy", group.id, anna.id)

# Money.
no_card = ask(
    billing, "billing_add_money_create", add_money_request=client.AddMoneyRequest(userId=anna.id, amountToAdd=20)
)
assert no_card.error_message and no_card.updated_account_balance is None
source = client.CustomerSourceRequest(userStripeId=anna.stripe_id, sourceId="tok_visa")
card = ask(billing, "billing_attach_source_to_customer_create", source)
money = ask(
    billing,
    "billing_add_money_create",
    add_money_request=client.AddMoneyRequest(userId=anna.id, amountToAdd=20.5),
    idempotency_key="once",
)
assert money.updated_account_balance == 20.5 and money.error_message is None
customer = client.CustomerRequest(userStripeId=anna.stripe_id)
charge = client.CreateChargeRequest(userStripeId=anna.stripe_id, amountToAdd=500)
assert ask(billing, "billing_create_charge_create", create_charge_request=charge).charge.amount == 500
ask(billing, "billing_retrieve_customer_default_source_create", customer)
ask(billing, "billing_user_stripe_charges_create", customer)
ask(billing, "billing_update_credit_card_create", client.UserSourceRequest(userId=anna.id, sourceId="tok_mastercard"))
default = ask(billing, "billing_retrieve_customer_default_source_create", customer)
again = client.CustomerSourceRequest(userStripeId=anna.stripe_id, sourceId=default.default_source_id)
ask(billing, "billing_update_default_source_create", again)
ask(billing, "billing_all_twilio_charges_retrieve")
ask(billing, "billing_group_twilio_charges_create", client.GroupChargesQueryRequest(groupId=group.id))
statement = ask(users, "users_statement_list", anna.id, var_from="2020-01-01")
assert [entry.kind for entry in statement] == ["top_up", "top_up"], statement
declined = client.CustomerSourceRequest(userStripeId=anna.stripe_id, sourceId="tok_chargeDeclined")
refused(402, billing, "billing_attach_source_to_customer_create", declined)

# Calls, devices, images.
token = ask(voice, "voice_access_token_retrieve")
assert len(token.split(".")) == 3, token
binding = client.RegisterBindingRequest(Address="a device", BindingType=client.BindingType.FCM, tags=[group.id])
assert ask(voice, "voice_register_binding_create", binding).tags == [str(group.id)]
ask(voice, "voice_send_notification_create", client.NotificationRequest(groupId=group.id))
assert ask(upload, "upload_create", image=("pixel.png", PIXEL)).image.startswith("http")

# And away again.
ask(groups, "groups_call_participants_destroy", group.id, ben.id)
ask(groups, "groups_call_participants_clear", group.id)
ask(others_groups, "groups_group_members_destroy", group.id, ben.id)
ask(groups, "groups_destroy", group.id)
ask(others_users, "users_destroy", ben.id)
print(f"made, type-checked, and {len(read)} answers read")
