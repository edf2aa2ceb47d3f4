import assert from "node:assert/strict";
import type { Rest } from "./rest.js";

/** A public image of 4 KiB. @returns its id */
export async function uploadImage(glance: Rest): Promise<string> {
  const { id } = await glance.expect<{ id: string }>(201, "", "POST", "/v2/images", {
    name: "blank",
    disk_format: "raw",
    container_format: "bare",
    visibility: "public",
  });
  assert.equal((await glance.call("PUT", `/v2/images/${id}/file`, new Uint8Array(4096))).status, 204);
  return id;
}

/** The id of the network that every project has. */
export async function findNetwork(neutron: Rest): Promise<string> {
  const [found] = await neutron.expect<readonly { id: string }[]>(
    200,
    "networks",
    "GET",
    "/v2.0/networks?name=private",
  );
  return found?.id ?? "";
}
