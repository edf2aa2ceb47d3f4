import assert from "node:assert/strict";
import {
  ConsoleProtocol,
  ConsoleType,
  RemoteConsolesServiceDefinition,
} from "../../../gen/kilonova/api/v1/consoles_service.js";
import type { StoreConsoleTokenRequest } from "../../../gen/kilonova/cells/v1/console_tokens_service.js";
import { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { AgentServiceDefinition, ConsoleKind } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { GetConsoleRequest } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import { defineErrors } from "../../kernel/index.js";
import { fromTimestampOrNull } from "../../model/wire-time.js";
import { bindPart } from "../../platform/rpc/index.js";
import { administrator, anApi, as, member, stranger } from "../testing/an-api.js";
import type { TestApiOptions } from "../testing/an-api.js";
import { tokenHash } from "./create-remote-console.js";

const SERVER = "00000000-0000-4000-8000-000000000001";
const hostInfo = ServerHostInfo.fromPartial({ host: "h1" });
const vnc = { protocol: ConsoleProtocol.CONSOLE_PROTOCOL_VNC, type: ConsoleType.CONSOLE_TYPE_NOVNC };
const serial = { protocol: ConsoleProtocol.CONSOLE_PROTOCOL_SERIAL, type: ConsoleType.CONSOLE_TYPE_SERIAL };
const E = defineErrors("compute.driver", {
  GUEST_NOT_DEFINED: ["missing", (_p: Record<string, never>) => "no such guest"],
});

/** An api whose only host has a guest with consoles, unless told otherwise. */
function aCloud(
  answer: () => { readonly offered: boolean; readonly run: string | undefined } = () => ({
    offered: true,
    run: "r1",
  }),
  config: TestApiOptions["config"] = {
    novncBaseUrl: "http://c:6080/vnc_auto.html",
    serialBaseUrl: "ws://c:6080/",
  },
) {
  const api = anApi({ config });
  const asked: GetConsoleRequest[] = [];
  api.cells.setServices("cell1", [
    HostService.fromPartial({ id: "s1", binary: "nova-compute", host: "h1", address: "10.0.0.7:8780" }),
  ]);
  api.network.listen("10.0.0.7:8780", [
    bindPart(AgentServiceDefinition, {
      getConsole: async (_ctx, request) => {
        asked.push(request);
        return answer();
      },
    }),
  ]);
  api.cells.put("cell1", { id: SERVER, hostInfo });
  const consoles = api.channel.client(RemoteConsolesServiceDefinition);
  const create = (wish: object = {}, actor = member) =>
    consoles.createRemoteConsole(as(actor), { serverId: SERVER, ...vnc, ...wish });
  return { api, asked, consoles, create };
}

describe("CreateRemoteConsole", () => {
  it("gives an address with a token, of which only the hash is kept", async () => {
    const { api, asked, create } = aCloud();
    const before = BigInt(Date.now()) * 1_000n;
    const { url, expiresAt, ...echo } = await create();
    assert.deepEqual(echo, vnc);
    const token = /^http:\/\/c:6080\/vnc_auto\.html\?path=%3Ftoken%3D([0-9a-f-]{36})$/.exec(url)?.[1] ?? "";
    assert.deepEqual(
      asked.map(({ host, serverId, kind }) => [host, serverId, kind]),
      [["h1", SERVER, ConsoleKind.CONSOLE_KIND_VNC]],
    );
    const { token: kept } = api.cells.requests.get("storeConsoleToken") as StoreConsoleTokenRequest;
    assert.deepEqual(
      [kept?.serverId, kept?.projectId, kept?.type, kept?.host, kept?.run],
      [SERVER, "p1", "novnc", "h1", "r1"],
    );
    assert.deepEqual(Buffer.from(kept?.tokenHash ?? []), tokenHash(token));
    assert.ok(!JSON.stringify(kept, (_, v: unknown) => (typeof v === "bigint" ? `${v}` : v)).includes(token));
    const lasts = Number((fromTimestampOrNull(expiresAt) ?? 0n) - before) / 1e6;
    assert.ok(lasts >= 600 && lasts < 660, `${lasts} s`);
    assert.notEqual((await create()).url, url);
  });

  it("gives the web socket of a serial console", async () => {
    const { asked, create } = aCloud();
    assert.match((await create(serial)).url, /^ws:\/\/c:6080\/\?token=[0-9a-f-]{36}$/);
    assert.equal(asked[0]?.kind, ConsoleKind.CONSOLE_KIND_SERIAL);
  });

  const refused = (
    name: string,
    cloud: () => ReturnType<typeof aCloud>,
    wish: object,
    expected: { readonly reason: string; readonly kind: string; readonly message?: string },
  ): void =>
    void it(`refuses ${name}`, async () => {
      const { create, api } = cloud();
      await assert.rejects(create(wish), expected);
      assert.equal(api.cells.requests.has("storeConsoleToken"), false);
    });
  const inState = (init: object) => () => {
    const cloud = aCloud();
    cloud.api.cells.put("cell1", { id: SERVER, hostInfo, ...init });
    return cloud;
  };
  const invalid = { reason: "INVALID_REQUEST", kind: "invalid" };
  refused("no protocol", aCloud, { protocol: 0 }, invalid);
  refused("a type that is none", aCloud, { type: 99 }, invalid);
  refused(
    "a type of another protocol",
    aCloud,
    { type: ConsoleType.CONSOLE_TYPE_SERIAL },
    { reason: "CONSOLE_TYPE_INVALID", kind: "invalid", message: "Invalid console type serial" },
  );
  refused(
    "what is not offered anywhere",
    aCloud,
    {
      protocol: ConsoleProtocol.CONSOLE_PROTOCOL_SPICE,
      type: ConsoleType.CONSOLE_TYPE_SPICE_HTML5,
    },
    { reason: "CONSOLE_TYPE_UNAVAILABLE", kind: "invalid", message: "Unavailable console type spice-html5." },
  );
  refused(
    "what is gone, whatever the server does",
    inState({ hostInfo: undefined, taskState: "deleting" }),
    {
      protocol: ConsoleProtocol.CONSOLE_PROTOCOL_RDP,
      type: ConsoleType.CONSOLE_TYPE_RDP_HTML5,
    },
    { reason: "CONSOLE_TYPE_UNAVAILABLE", kind: "invalid", message: "Unavailable console type rdp." },
  );
  const unavailable = {
    reason: "CONSOLE_TYPE_UNAVAILABLE",
    kind: "invalid",
    message: "Unavailable console type novnc.",
  };
  refused("consoles where there is no proxy", () => aCloud(undefined, {}), {}, unavailable);
  refused(
    "consoles that the host has not",
    () => aCloud(() => ({ offered: false, run: "r" })),
    {},
    unavailable,
  );
  const notReady = {
    reason: "CONSOLE_NOT_READY",
    kind: "refused",
    message: `Instance ${SERVER} is not ready`,
  };
  refused("a guest that does not run", () => aCloud(() => ({ offered: true, run: undefined })), {}, notReady);
  refused(
    "a guest that is not made yet",
    () =>
      aCloud(() => {
        throw E.GUEST_NOT_DEFINED({});
      }),
    {},
    notReady,
  );
  refused("a server without a host", inState({ hostInfo: undefined }), {}, notReady);
  for (const taskState of ["deleting", "migrating"])
    refused(
      `a server that is ${taskState}`,
      inState({ taskState }),
      {},
      {
        reason: "INVALID_STATE",
        kind: "refused",
        message: `Cannot 'get_vnc_console' instance ${SERVER} while it is in task_state ${taskState}`,
      },
    );

  it("knows no servers of other projects", async () => {
    const { create } = aCloud();
    await assert.rejects(create({}, stranger), { reason: "SERVER_NOT_FOUND" });
  });
});

describe("GetConsoleConnection", () => {
  it("tells administrators where a token leads, and nobody else", async () => {
    const { api, consoles, create } = aCloud();
    const token = (await create()).url.slice(-36);
    const ask = (actor = administrator) => consoles.getConsoleConnection(as(actor), { token });
    const { serverId, host, port, type } = await ask();
    assert.deepEqual(
      [serverId, host, port, type],
      [SERVER, "10.0.0.7", 8780, ConsoleType.CONSOLE_TYPE_NOVNC],
    );
    await assert.rejects(ask(member), { kind: "forbidden" });
    api.cells.put("cell1", { id: SERVER, hostInfo: ServerHostInfo.fromPartial({ host: "h2" }) });
    await assert.rejects(ask(), { reason: "CONSOLE_TOKEN_NOT_FOUND", message: "Token not found" });
  });

  it("knows no other tokens", async () => {
    const { consoles } = aCloud();
    await assert.rejects(consoles.getConsoleConnection(as(administrator), { token: "x" }), {
      reason: "CONSOLE_TOKEN_NOT_FOUND",
    });
    await assert.rejects(consoles.getConsoleConnection(as(administrator), { token: "" }), {
      reason: "INVALID_REQUEST",
    });
  });
});
