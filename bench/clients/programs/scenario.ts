/** Calls every kind of route with a client that openapi-generator made: node scenario.js URL STAFF_TOKEN TOKEN */
import assert from "node:assert/strict";
import * as client from "./index";
import { body, configuration, statusOf } from "./body";

const [url, staff, other] = process.argv.slice(2);
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
let count = 0;

function apis(token: string) {
  const settings = new client.Configuration(configuration(url, token));
  return {
    users: new client.UsersApi(settings),
    groups: new client.GroupsApi(settings),
    billing: new client.BillingApi(settings),
    voice: new client.VoiceApi(settings),
    upload: new client.UploadApi(settings),
  };
}

const ask: typeof body = async (answer: any) => {
  count += 1;
  return body(answer);
};

async function refused(status: number, answer: Promise<unknown>) {
  await assert.rejects(answer, (error) => statusOf(error) === status);
}

async function main() {
  const { users, groups, billing, voice, upload } = apis(staff);
  const ben_s = apis(other);

  const anna = await ask(users.usersCreate({ signUpRequest: { email: "anna@example.com" } }));
  const ben = await ask(ben_s.users.usersCreate({ signUpRequest: { email: "ben@example.com", nickname: "Ben" } }));
  const userId = ben.id;
  const seen = await ask(ben_s.users.usersRetrieve({ userId: anna.id }));
  assert.equal(seen.email, undefined);
  assert.equal((await ask(users.usersRetrieve({ userId }))).email, "ben@example.com");
  assert.equal((await ask(users.usersList({ search: "ben", limit: 5 })))[0].id, userId);
  const userChangesRequest = { phoneNumber: 12025550123, lastName: null };
  assert.equal((await ask(users.usersUpdate({ userId, userChangesRequest }))).phoneNumber, 12025550123);
  await ask(users.usersAccountBalanceUpdate({ userId, balanceChangeRequest: { accountBalance: 12.5 } }));
  assert.equal((await ask(users.usersAccountBalanceRetrieve({ userId }))).accountBalance, "12.50");
  await ask(users.usersLast4Update({ userId, last4ChangeRequest: { last4: "4242" } }));
  assert.equal((await ask(users.usersLast4Retrieve({ userId }))).last4, "4242");
  await refused(404, users.usersRetrieve({ userId: 999 }));
  await refused(403, ben_s.users.usersLast4Retrieve({ userId: anna.id }));

  const group = await ask(groups.groupsCreate({ newGroupRequest: { name: "Family", phoneNumber: "5550123" } }));
  const groupId = group.id;
  assert.ok(new Date(group.createdAt).getTime() > 1e12);
  await ask(groups.groupsUpdate({ groupId, groupChangesRequest: { name: "The family" } }));
  assert.equal((await ask(groups.groupsList()))[0].name, "The family");
  await ask(groups.groupsRetrieve({ groupId }));
  await ask(groups.groupsGroupInviteesCreate({ groupId, userIdRequest: { userId } }));
  assert.equal((await ask(groups.groupsGroupInviteesDetailedList({ groupId })))[0].email, "ben@example.com");
  const [ref]: any[] = await ask(users.usersGroupsInvitedToList({ userId }));
  assert.equal(ref.groupName ?? ref.GroupName, "The family"); // one client keeps the wire's spelling, the other its own
  await ask(ben_s.groups.groupsGroupMembersCreate({ groupId, userIdRequest: { userId } }));
  await ask(ben_s.groups.groupsGroupInviteesDestroy({ groupId, userId }));
  await ask(groups.groupsGroupMembersDetailedList({ groupId }));
  await ask(groups.groupsGroupOwnersList({ groupId }));
  await ask(groups.groupsGroupOwnersDetailedList({ groupId }));
  await ask(ben_s.groups.groupsActivitiesCreate({ groupId, newActivityRequest: { userId, activity: "Hello" } }));
  assert.equal((await ask(groups.groupsActivitiesList({ groupId })))[0].displayName, "Ben");
  await ask(ben_s.groups.groupsCallParticipantsCreate({ groupId, userIdRequest: { userId } }));
  await ask(groups.groupsCallParticipantsList({ groupId }));
  await ask(groups.groupsCallStatusUpdate({ groupId, callStatusChangeRequest: { callStatus: true } }));
  assert.equal((await ask(groups.groupsCallStatusRetrieve({ groupId }))).callStatus, true);
  const detailed = await ask(users.usersDetailedRetrieve({ userId: anna.id }));
  assert.deepEqual(detailed.groupsOwned[0].members.map((each) => each.displayName).slice(-1), ["Ben"]);
  await refused(409, groups.groupsGroupOwnersDestroy({ groupId, userId: anna.id }));

  const userStripeId = anna.stripeId ?? "";
  const addMoneyRequest = { userId: anna.id, amountToAdd: 20.5 };
  assert.ok((await ask(billing.billingAddMoneyCreate({ addMoneyRequest }))).errorMessage);
  const customerSourceRequest = { userStripeId, sourceId: "tok_visa" };
  const card = await ask(billing.billingAttachSourceToCustomerCreate({ customerSourceRequest }));
  assert.equal(card.last4, "4242");
  const money = await ask(billing.billingAddMoneyCreate({ addMoneyRequest, idempotencyKey: "once" }));
  assert.equal(money.updatedAccountBalance, 20.5);
  const createChargeRequest = { userStripeId, amountToAdd: 500 };
  assert.equal((await ask(billing.billingCreateChargeCreate({ createChargeRequest }))).charge?.amount, 500);
  const customerRequest = { userStripeId };
  const source = await ask(billing.billingRetrieveCustomerDefaultSourceCreate({ customerRequest }));
  assert.equal(source.defaultSourceId, card.id);
  await ask(billing.billingUserStripeChargesCreate({ customerRequest }));
  await ask(billing.billingUpdateDefaultSourceCreate({ customerSourceRequest: { userStripeId, sourceId: card.id } }));
  await ask(billing.billingUpdateCreditCardCreate({ userSourceRequest: { userId: anna.id, sourceId: "tok_mastercard" } }));
  await ask(billing.billingAllTwilioChargesRetrieve());
  await ask(billing.billingGroupTwilioChargesCreate({ groupChargesQueryRequest: { groupId } }));
  const statement = await ask(users.usersStatementList({ userId: anna.id, from: "2020-01-01", to: "2099-12-31" }));
  assert.deepEqual(statement.map((entry) => entry.kind), ["top_up", "top_up"]);
  const declined = { userStripeId, sourceId: "tok_chargeDeclined" };
  await refused(402, billing.billingAttachSourceToCustomerCreate({ customerSourceRequest: declined }));

  assert.equal((await ask(voice.voiceAccessTokenRetrieve())).split(".").length, 3);
  const kind = client.BindingType.Fcm;
  const registerBindingRequest = { ...{ address: "a", Address: "a" }, bindingType: kind, BindingType: kind, tags: [groupId] };
  assert.equal((await ask(voice.voiceRegisterBindingCreate({ registerBindingRequest }))).bindingType, "fcm");
  await ask(voice.voiceSendNotificationCreate({ notificationRequest: { groupId } }));
  const image = new File([Buffer.from(PIXEL, "base64")], "pixel.png", { type: "image/png" });
  assert.match((await ask(upload.uploadCreate({ image }))).image, /^http/);

  await ask(groups.groupsCallParticipantsDestroy({ groupId, userId }));
  await ask(groups.groupsCallParticipantsClear({ groupId }));
  await ask(ben_s.groups.groupsGroupMembersDestroy({ groupId, userId }));
  await ask(groups.groupsDestroy({ groupId }));
  assert.equal((await ask(ben_s.users.usersDestroy({ userId }))).count, "1 user deleted");
  console.log(`made, compiled, and ${count} answers read`);
}

main().catch((error) => {
  console.error(error.stack, error.response?.data);
  process.exit(1);
});
