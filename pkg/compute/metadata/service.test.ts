import assert from "node:assert/strict";
import { rootCtx } from "../../kernel/index.js";
import type { GuestData } from "../guestdata/index.js";
import { someGuest } from "../guestdata/testing/some-guest.js";
import type { MetadataAnswer } from "./answers.js";
import { normalPath } from "./path.js";
import type { GuestDataSource } from "./ports.js";
import { metadataService } from "./service.js";

const ctx = rootCtx({ requestId: "req-test" });
const uuid = someGuest().uuid;

/** A source with one guest that tests may change. */
function oneGuest(
  over: Partial<GuestData> = {},
): GuestDataSource & { change(next: Partial<GuestData>): void } {
  let data = someGuest(over);
  let generation = 1n;
  let readings = 0;
  const change = (next: Partial<GuestData>): void => {
    data = { ...data, ...next };
    generation += 1n;
  };
  return {
    change,
    guestData: async (_ctx, id) => (id === data.uuid ? { data, generation } : undefined),
    vendorData: async (_ctx, _id, { dynamic }) => ({
      vendorData: { reading: ++readings },
      ...(dynamic ? { dynamicVendorData: new Map([["join", { token: "t" }]]) } : {}),
    }),
    savePassword: async (_ctx, _id, encrypted) => {
      if (data.password !== undefined) return false;
      change({ password: encrypted });
      return true;
    },
  };
}

const ask = (
  source: GuestDataSource,
  path: string,
  over: { method?: string; body?: string; instanceUuid?: string; projectId?: string } = {},
): Promise<MetadataAnswer> =>
  metadataService(source).answer(ctx, {
    instanceUuid: over.instanceUuid ?? uuid,
    method: over.method ?? "GET",
    path,
    body: Buffer.from(over.body ?? ""),
    ...(over.projectId === undefined ? {} : { projectId: over.projectId }),
  });
const text = (answer: MetadataAnswer): string => Buffer.from(answer.body).toString();

describe("metadata service", () => {
  for (const [path, wanted] of [
    ["/", ""],
    ["", ""],
    ["/openstack/", "/openstack"],
    ["//openstack//latest/", "/openstack/latest"],
    ["/latest?x=1", "/latest"],
    ["/./latest", "/latest"],
    ["/a/../b", "/b"],
    ["/../..", ""],
  ] as const) {
    it(`reads the path ${JSON.stringify(path)} as ${JSON.stringify(wanted)}`, () =>
      assert.equal(normalPath(path), wanted));
  }

  it("serves documents with their content types, listings with and without trailing slash", async () => {
    const source = oneGuest();
    const document = await ask(source, "/openstack/latest/meta_data.json");
    assert.equal(document.status, 200);
    assert.equal(document.headers["content-type"], "application/json");
    assert.equal((JSON.parse(text(document)) as { uuid: string }).uuid, uuid);
    const listing = await ask(source, "/latest/meta-data/");
    assert.equal(listing.headers["content-type"], "text/plain; charset=UTF-8");
    assert.match(text(listing), /^ami-id\n/);
    assert.deepEqual(await ask(source, "/latest/meta-data"), listing);
    assert.match(text(await ask(source, "/")), /latest$/);
  });

  it("answers 404 to unknown paths, guests and foreign projects", async () => {
    const source = oneGuest();
    assert.equal((await ask(source, "/openstack/latest/nothing")).status, 404);
    assert.equal((await ask(source, "/openstack/latest/user_data")).status, 404);
    assert.equal(
      (await ask(source, "/", { instanceUuid: "00000000-0000-4000-8000-000000000009" })).status,
      404,
    );
    assert.equal((await ask(source, "/", { projectId: "other" })).status, 404);
    assert.equal((await ask(source, "/", { projectId: "p1" })).status, 200);
  });

  it("shows a change at once and a fresh random seed at each reading", async () => {
    const source = oneGuest();
    const service = metadataService(source);
    const read = async (path: string): Promise<string> =>
      text(await service.answer(ctx, { instanceUuid: uuid, method: "GET", path, body: new Uint8Array() }));
    const seed = async (): Promise<string> =>
      (JSON.parse(await read("/openstack/latest/meta_data.json")) as { random_seed: string }).random_seed;
    assert.notEqual(await seed(), await seed());
    assert.equal(await read("/latest/meta-data/hostname"), "web-1.novalocal");
    source.change({ hostname: "web-2" });
    assert.equal(await read("/latest/meta-data/hostname"), "web-2.novalocal");
  });

  it("takes a password once", async () => {
    const source = oneGuest();
    const path = "/openstack/latest/password";
    const tooLong = await ask(source, path, { method: "POST", body: "x".repeat(1021) });
    assert.deepEqual([tooLong.status, text(tooLong)], [400, "Request is too large."]);
    assert.equal((await ask(source, path, { method: "POST", body: "" })).status, 200);
    assert.equal(text(await ask(source, path)), "");
    assert.equal((await ask(source, path, { method: "POST", body: "c2VjcmV0" })).status, 200);
    assert.equal(text(await ask(source, path)), "c2VjcmV0");
    assert.equal((await ask(source, path, { method: "POST", body: "again" })).status, 409);
    const deleted = await ask(source, path, { method: "DELETE" });
    assert.deepEqual([deleted.status, text(deleted)], [400, "GET and POST only are supported."]);
    assert.equal(
      (await ask(source, "/openstack/2012-08-10/password", { method: "POST", body: "x" })).status,
      404,
    );
  });

  it("refuses a password that is no text", async () => {
    const body = Buffer.from([0xff, 0xfe]);
    const answer = await metadataService(oneGuest()).answer(ctx, {
      instanceUuid: uuid,
      method: "POST",
      path: "/openstack/latest/password",
      body,
    });
    assert.equal(answer.status, 400);
  });

  it("fetches vendor data at each reading, dynamic data only where it is told", async () => {
    const service = metadataService(oneGuest());
    const read = async (path: string): Promise<unknown> =>
      JSON.parse(
        text(await service.answer(ctx, { instanceUuid: uuid, method: "GET", path, body: new Uint8Array() })),
      );
    assert.deepEqual(await read("/openstack/latest/vendor_data.json"), { reading: 1 });
    assert.deepEqual(await read("/openstack/2016-10-06/vendor_data2.json"), {
      join: { token: "t" },
      static: { reading: 2 },
    });
    assert.equal((await ask(oneGuest(), "/openstack/2012-08-10/vendor_data.json")).status, 404);
  });

  it("loses a race for the password to whoever the source let in", async () => {
    const source: GuestDataSource = { ...oneGuest(), savePassword: async () => false };
    assert.equal(
      (await ask(source, "/openstack/latest/password", { method: "POST", body: "x" })).status,
      409,
    );
  });
});
