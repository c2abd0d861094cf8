/** Calls with openapi-fetch, by the types that openapi-typescript made: node scenario.js URL STAFF_TOKEN TOKEN */
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

const [baseUrl, staff, other] = process.argv.slice(2);
const as = (token: string) => createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

async function main() {
  const anna_s = as(staff);
  const ben_s = as(other);
  const { data: anna } = await anna_s.POST("/api/users", { body: { email: "anna@example.com" } });
  const { data: ben } = await ben_s.POST("/api/users", { body: { email: "ben@example.com", nickname: "Ben" } });
  assert.ok(anna && ben);
  const { data: seen } = await ben_s.GET("/api/users/{user_id}", { params: { path: { user_id: anna.id } } });
  assert.deepEqual([seen?.displayName, seen?.email], [anna.displayName, undefined]);
  const { data: group } = await anna_s.POST("/api/groups", { body: { name: "Family" } });
  assert.ok(group);
  const path = { group_id: group.id };
  const { data: members } = await ben_s.GET("/api/groups/{group_id}/groupMembers", { params: { path } });
  assert.equal(members, undefined);
  const invited = await anna_s.POST("/api/groups/{group_id}/groupInvitees", { params: { path }, body: { userId: ben.id } });
  assert.equal(invited.data?.[0].displayName, "Ben");
  const { data: detailed } = await ben_s.GET("/api/users/{user_id}/detailed", { params: { path: { user_id: ben.id } } });
  assert.equal(detailed?.groupsInvitedTo[0].owners[0].id, anna.id);
  const { error } = await anna_s.GET("/api/users/{user_id}", { params: { path: { user_id: 999 } } });
  const problem: components["schemas"]["Problem"] | undefined = error;
  assert.equal(problem?.code, "not_found");
  const { data: money } = await anna_s.POST("/api/billing/addMoney", { body: { userId: anna.id, amountToAdd: 20 } });
  assert.match(money?.errorMessage ?? "", /card/);
  const { data: device } = await anna_s.POST("/api/voice/registerBinding", { body: { Address: "a", BindingType: "fcm" } });
  assert.equal(device?.bindingType, "fcm");
  const query = { from: "2020-01-01", to: "2099-12-31" };
  const { data: statement } = await anna_s.GET("/api/users/{user_id}/statement", {
    params: { path: { user_id: anna.id }, query },
  });
  assert.deepEqual(statement, []);
  console.log("made, compiled, and 11 answers read");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
