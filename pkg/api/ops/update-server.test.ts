import assert from "node:assert/strict";
import type { Server as StoredServer } from "../../../gen/kilonova/cells/v1/server.js";
import { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { Server } from "../../../gen/kilonova/api/v1/server.js";
import { DiskConfig, ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import type { UserPath } from "../../model/user-change.js";
import { USER_PATHS } from "../../model/user-change.js";
import { serveTestGateway } from "../../gateway/testing/test-gateway.js";
import { fakeTokens } from "../../gateway/testing/test-tokens.js";
import type { TestApi } from "../testing/an-api.js";
import { anApi, as, member } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001";

/** A path as clients of each kind write it. */
interface Case {
  /** Its name in a REST body, and the first microversion that takes it. */
  readonly rest: string;
  readonly since: string;
  readonly value: string;
  readonly message: Partial<Server>;
  /** How the value is shown. */
  readonly shown: string;
  /** What is shown once it was cleared; absent where it cannot be cleared. */
  readonly cleared?: string | null;
  /** Whether REST clears it by null. */
  readonly nullable?: boolean;
}

const V6 = "0000:0000:0000:0000:0000:babe:220.12.22.2";
const cases: Readonly<Record<UserPath, Case>> = {
  name: { rest: "name", since: "2.1", value: "new", message: { name: "new" }, shown: "new" },
  description: {
    rest: "description",
    since: "2.19",
    value: "text",
    message: { description: "text" },
    shown: "text",
    cleared: null,
    nullable: true,
  },
  hostname: { rest: "hostname", since: "2.90", value: "h-2", message: { hostname: "h-2" }, shown: "h-2" },
  access_ip_v4: {
    rest: "accessIPv4",
    since: "2.1",
    value: "192.0.2.9",
    message: { accessIpV4: "192.0.2.9" },
    shown: "192.0.2.9",
    cleared: "",
  },
  access_ip_v6: {
    rest: "accessIPv6",
    since: "2.1",
    value: V6,
    message: { accessIpV6: V6 },
    shown: "::babe:dc0c:1602",
    cleared: "",
  },
  disk_config: {
    rest: "OS-DCF:diskConfig",
    since: "2.1",
    value: "AUTO",
    message: { diskConfig: DiskConfig.DISK_CONFIG_AUTO },
    shown: "AUTO",
  },
  pinned_availability_zone: {
    rest: "pinned_availability_zone",
    since: "2.104",
    value: "west",
    message: { pinnedAvailabilityZone: "west" },
    shown: "west",
    cleared: null,
    nullable: true,
  },
};
const shownAs: Readonly<Record<string, string>> = { hostname: "OS-EXT-SRV-ATTR:hostname" };

const before: Partial<StoredServer> = {
  name: "old",
  description: "old text",
  hasDescription: true,
  hostname: "old",
  accessIpV4: "192.0.2.1",
  accessIpV6: "2001:db8::1",
  diskConfig: DiskConfig.DISK_CONFIG_MANUAL,
  availabilityZone: "west",
  hostInfo: ServerHostInfo.fromPartial({ host: "h1" }),
};
const latest = "2.104";

function anApiWith(server: Partial<StoredServer>): TestApi {
  const api = anApi();
  api.cells.setServices("cell1", [
    HostService.fromPartial({ binary: "nova-compute", host: "h1", availabilityZone: "west", up: true }),
  ]);
  api.cells.put("cell1", { id: A, ...before, ...server });
  return api;
}

/** The server as REST shows it, after the change. */
async function shown(api: TestApi, change?: { version: string; body: object }) {
  const gateway = await serveTestGateway(api.channel, { tokens: fakeTokens({ member }) });
  try {
    if (change !== undefined) {
      const { status, text } = await gateway.ask(`/v2.1/servers/${A}`, {
        method: "PUT",
        version: change.version,
        body: { server: change.body },
      });
      assert.equal(status, 200, text);
    }
    const { json } = await gateway.ask(`/v2.1/servers/${A}`, { version: latest });
    const {
      updated: _updated,
      links: _links,
      ...rest
    } = (json as { server: Record<string, unknown> }).server;
    return rest;
  } finally {
    await gateway.close();
  }
}

describe("what users may change of a server", () => {
  const grpc = (api: TestApi, server: Partial<Server>, updateMask: string[]) =>
    api.channel
      .client(ServersServiceDefinition)
      .updateServer(as(member), { serverId: A, server: Server.fromPartial(server), updateMask });

  for (const path of USER_PATHS) {
    const { rest, since, value, message, shown: expected, cleared, nullable = false } = cases[path];
    const field = shownAs[rest] ?? rest;
    for (const version of new Set([since, latest]))
      it(`${path}: REST at ${version} changes it and nothing else`, async () => {
        const was = await shown(anApiWith({}));
        assert.deepEqual(await shown(anApiWith({}), { version, body: { [rest]: value } }), {
          ...was,
          [field]: expected,
        });
      });

    it(`${path}: gRPC changes it and nothing else`, async () => {
      const api = anApiWith({});
      const was = await shown(api);
      await grpc(api, message, [path]);
      assert.deepEqual(await shown(api), { ...was, [field]: expected });
    });

    it(`${path}: stays when another is changed`, async () => {
      const other =
        path === "name" ? { rest: "accessIPv4", value: "192.0.2.8" } : { rest: "name", value: "n" };
      const was = await shown(anApiWith({ pinnedAvailabilityZone: "west" }));
      assert.deepEqual(
        await shown(anApiWith({ pinnedAvailabilityZone: "west" }), {
          version: latest,
          body: { [other.rest]: other.value },
        }),
        { ...was, [other.rest]: other.value },
      );
    });

    if (nullable)
      it(`${path}: null clears it over REST at ${since}`, async () => {
        const api = anApiWith({ pinnedAvailabilityZone: "west" });
        const now = await shown(api, { version: since, body: { [rest]: null } });
        assert.equal(now[field], cleared);
      });

    if (cleared !== undefined)
      it(`${path}: an empty value clears it over gRPC`, async () => {
        const api = anApiWith({ pinnedAvailabilityZone: "west" });
        await grpc(api, {}, [path]);
        assert.equal((await shown(api))[field], cleared);
      });
  }

  it("tells an empty description from none", async () => {
    const api = anApiWith({});
    await grpc(api, { description: "" }, ["description"]);
    assert.equal((await shown(api))["description"], "");
    await grpc(api, {}, ["description"]);
    assert.equal((await shown(api))["description"], null);
  });

  it("refuses an empty text for what can be left out", async () => {
    for (const [path, server] of [
      ["access_ip_v4", { accessIpV4: "" }],
      ["access_ip_v6", { accessIpV6: "" }],
      ["pinned_availability_zone", { pinnedAvailabilityZone: "" }],
    ] as const)
      await assert.rejects(grpc(anApiWith({}), server, [path]), { reason: "INVALID_REQUEST" });
  });

  it("pins only to the zone where the server is, and never from one to another", async () => {
    for (const [pinned, wish] of [
      ["", "east"],
      ["east", "west"],
      ["west", "east"],
    ] as const) {
      const api = anApiWith({ pinnedAvailabilityZone: pinned });
      await assert.rejects(grpc(api, { pinnedAvailabilityZone: wish }, ["pinned_availability_zone"]), {
        reason: "PIN_CONFLICT",
      });
      const gateway = await serveTestGateway(api.channel, { tokens: fakeTokens({ member }) });
      const { status } = await gateway.ask(`/v2.1/servers/${A}`, {
        method: "PUT",
        version: latest,
        body: { server: { pinned_availability_zone: wish } },
      });
      await gateway.close();
      assert.equal(status, 409);
    }
    const api = anApiWith({ pinnedAvailabilityZone: "east" });
    await grpc(api, { pinnedAvailabilityZone: "east" }, ["pinned_availability_zone"]);
    assert.equal((await shown(api))["pinned_availability_zone"], "east");
  });
});
