/** Makes src/generated from the server's OpenAPI document: node generate.mjs [openapi.json] */
import { readFile } from "node:fs/promises";
import { createClient } from "@hey-api/openapi-ts";

const [document = "openapi.json"] = process.argv.slice(2);
const input = JSON.parse(await readFile(document, "utf8"));

/** Which codes an answer can have stands in the names of its examples: here they become a type of their own, so that a
 * code which an operation never answers does not compile. */
for (const answer of Object.values(input.components.responses)) {
  const media = answer.content?.["application/problem+json"];
  if (media?.examples) {
    const code = { type: "string", enum: Object.keys(media.examples) };
    media.schema = { allOf: [media.schema, { type: "object", required: ["code"], properties: { code } }] };
  }
}

await createClient({
  input,
  output: { path: "src/generated", module: { extension: ".js" } },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
  logs: { level: "error" },
});
