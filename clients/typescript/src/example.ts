/** What a page does, against a running server: node dist/example.js URL TOKEN ANOTHER_TOKEN */
import * as api from "./index.js";

const [baseUrl = "http://localhost:3300", rosesToken = "", benjaminsToken = ""] = process.argv.slice(2);
const rose = api.connect(baseUrl, () => rosesToken);
const benjamin = api.connect(baseUrl, () => benjaminsToken);

/** The answer, or the server's own sentence. */
function answered<Data>({ data, error }: { data?: Data; error?: api.Problem }): Data {
  if (data === undefined) throw new Error(error?.detail ?? "The server does not answer.");
  return data;
}

const me = answered(await api.usersCreate({ client: rose, body: { email: "rose@example.com" } }));
const other = answered(await api.usersCreate({ client: benjamin, body: { email: "benjamin@example.com" } }));
const group = answered(await api.groupsCreate({ client: rose, body: { name: "Family" } }));
const path = { group_id: group.id };

// The stream tells at once what the polls below ask for.
const closing = new AbortController();
const seen: string[] = [];
const { stream } = await api.liveRetrieve({
  client: rose,
  query: { groupId: [group.id] },
  signal: closing.signal,
  sseMaxRetryAttempts: 1,
  onSseEvent: ({ event }) => {
    if (event) seen.push(event);
  },
});
await stream.next(); // `ready`

for (const activity of ["one", "two", "three"]) {
  answered(await api.groupsActivitiesCreate({ client: rose, path, body: { userId: me.id, activity } }));
}
while (seen.filter((event) => event === "activity").length < 3) {
  if ((await stream.next()).done) throw new Error(`The stream ended after ${seen}.`);
}
closing.abort();

const { callStatus } = answered(await api.groupsCallStatusRetrieve({ client: rose, path }));

// A list, two at a time.
const activities: string[] = [];
let after: string | undefined;
do {
  const page = await api.groupsActivitiesList({ client: rose, path, query: { limit: 2, after } });
  activities.push(...answered(page).map((each) => each.activity));
  after = page.response && api.nextPage(page.response);
} while (after);

// An error, by its code: one that this operation never answers would not compile.
let refusal = "";
const { error } = await api.groupsGroupOwnersDestroy({ client: rose, path: { ...path, user_id: me.id } });
switch (error?.code) {
  case "last_owner":
    refusal = error.detail; // and its status is 409
    break;
  // @ts-expect-error  nobody's card is declined here
  case "card_declined":
    break;
}
const hidden = await api.groupsRetrieve({ client: benjamin, path });

console.log(
  JSON.stringify({
    people: [me.email, other.email],
    callStatus,
    activities,
    refusal,
    hidden: hidden.error?.code,
    events: [...new Set(seen)],
  }),
);
