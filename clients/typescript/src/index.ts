/** A typed client of the Voice Chatroom's API: all in `generated` is made from its OpenAPI document. */
import { createClient, createConfig, type Client } from "./generated/client/index.js";

export * from "./generated/index.js";
export { connect, nextPage };

/** A client of one server. `token` is asked for before each request, so that it may be renewed; none in open mode. */
function connect(baseUrl: string, token?: () => string | Promise<string>): Client {
  // A ticket, which a stream would take too, is for browsers' EventSource: fetch sends the token itself.
  return createClient(createConfig({ baseUrl, auth: ({ scheme }) => (scheme === "bearer" ? token?.() : undefined) }));
}

/** The `after` of a list's next page, from its Link header (RFC 8288); nothing where this was the last. */
function nextPage(response: Response): string | undefined {
  const next = /<([^>]+)>; rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
  return next ? (new URL(next).searchParams.get("after") ?? undefined) : undefined;
}
