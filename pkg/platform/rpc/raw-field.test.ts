import assert from "node:assert/strict";
import {
  GetServerResponse,
  ListServersResponse,
  ServersServiceDefinition,
} from "../../../gen/kilonova/api/v1/servers_service.js";
import { Server } from "../../../gen/kilonova/api/v1/server.js";
import { rootCtx, silentLogger } from "../../kernel/index.js";
import { Metrics, noTracer } from "../telemetry/index.js";
import type { MessageField } from "./raw-field.js";
import { EncodedAnswer, LocalNetwork, bindPart, connectRpc, rawField, startRpcServer } from "./index.js";

const servers = ["a", "b", "c"].map((id) =>
  Server.fromPartial({ id, name: `vm-${id}`, metadata: new Map([["k", id]]) }),
);
const bytes = servers.map((server) => Server.encode(server).finish());
const answer = ListServersResponse.fromPartial({
  servers,
  nextPageToken: "t",
  unreachableCells: ["cell2"],
  downCellServers: [{ id: "d" }],
  hiddenFields: ["host_info"],
});
const listType = rawField(ListServersResponse, "servers");

describe("a raw field", () => {
  it("leaves its items encoded and decodes everything beside them", () => {
    const { servers: items, ...rest } = listType.decode(ListServersResponse.encode(answer).finish());
    const { servers: _, ...others } = answer;
    assert.deepEqual(rest, others);
    assert.deepEqual(
      items.map((item) => Server.decode(item)),
      servers,
    );
  });

  it("is encoded to what the generated type understands", () => {
    assert.deepEqual(
      ListServersResponse.decode(listType.encode({ ...answer, servers: bytes }).finish()),
      answer,
    );
    assert.deepEqual(
      ListServersResponse.decode(listType.encode(listType.fromPartial({ nextPageToken: "t" })).finish()),
      ListServersResponse.fromPartial({ nextPageToken: "t" }),
    );
  });

  it("may be a single message, there or not", () => {
    const type = rawField(GetServerResponse, "server");
    const one = GetServerResponse.fromPartial({ server: { id: "a" }, cellUnreachable: true });
    const decoded = type.decode(GetServerResponse.encode(one).finish());
    assert.deepEqual(
      [decoded.cellUnreachable, decoded.server.map((item) => Server.decode(item).id)],
      [true, ["a"]],
    );
    assert.deepEqual(GetServerResponse.decode(type.encode(decoded).finish()), one);
    assert.deepEqual(type.decode(new Uint8Array()).server, []);
  });

  it("is made of messages: no text, no list of texts, no map", () => {
    // The compiler refuses a name too many and one too few.
    const those: Readonly<Record<MessageField<ListServersResponse>, true>> = {
      servers: true,
      downCellServers: true,
    };
    const none: Readonly<Record<MessageField<Pick<Server, "id" | "metadata" | "tags">>, true>> = {};
    for (const field of Object.keys(those) as MessageField<ListServersResponse>[])
      assert.deepEqual(rawField(ListServersResponse, field).fromPartial({})[field], []);
    assert.deepEqual(none, {});
  });

  it("refuses bytes that are no message", () => {
    assert.throws(() => listType.decode(Uint8Array.of(0x0a, 0x7f, 1)));
  });
});

describe("an answer encoded by its handler", () => {
  const bindings = [
    bindPart(ServersServiceDefinition, {
      listServers: async () => EncodedAnswer.of(listType, { ...answer, servers: bytes }),
    }),
  ];
  const options = { log: silentLogger, tracer: noTracer, metrics: new Metrics() };
  const peer = { service: "gateway", host: "" };
  const ctx = rootCtx({ requestId: "req-11111111-2222-4333-8444-555555555555" });

  it("arrives as any other, inside a process and over HTTP/2", async () => {
    const network = new LocalNetwork(options);
    network.listen("api", bindings);
    assert.deepEqual(
      await network.connect("api", peer).client(ServersServiceDefinition).listServers(ctx, {}),
      answer,
    );
    const server = await startRpcServer({ ...options, address: "127.0.0.1:0", bindings, trustedPeer: peer });
    const channel = connectRpc(`127.0.0.1:${server.port}`);
    assert.deepEqual(await channel.client(ServersServiceDefinition).listServers(ctx, {}), answer);
    await channel.close();
    await server.close();
  });
});
