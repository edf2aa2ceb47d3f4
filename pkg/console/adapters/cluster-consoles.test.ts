import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  ConsoleToken,
  ConsoleTokenServiceDefinition,
  StoreConsoleTokenResponse,
} from "../../../gen/kilonova/cells/v1/console_tokens_service.js";
import {
  AgentServiceDefinition,
  ConsoleKind,
  WriteConsoleResponse,
} from "../../../gen/kilonova/compute/v1/agent_service.js";
import type {
  OpenConsoleRequest,
  WriteConsoleRequest,
} from "../../../gen/kilonova/compute/v1/agent_service.js";
import { defineErrors, rootCtx, silentLogger } from "../../kernel/index.js";
import { LocalNetwork, bindPart, bindService } from "../../platform/rpc/index.js";
import { Metrics, noTracer } from "../../platform/telemetry/index.js";
import type { FoundConsole } from "../ports.js";
import { clusterConsoles } from "./cluster-consoles.js";

const E = defineErrors("cells", {
  CONSOLE_TOKEN_NOT_FOUND: ["missing", (_p: Record<string, never>) => "Token not found"],
  DATABASE_NOT_FOUND: ["missing", (_p: Record<string, never>) => "No such database"],
});
const ctx = rootCtx({ requestId: "req-test" });
const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex");

/** A cluster with two tokens and one agent that says a word. */
function aCluster() {
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  const kept = new Map(
    ["novnc", "serial"].map((type) => [
      hashOf(type),
      ConsoleToken.fromPartial({
        ...{ serverId: "s1", projectId: "p1", type, host: "h1", run: "r1" },
        expiresAt: { seconds: 12n },
      }),
    ]),
  );
  const opened: OpenConsoleRequest[] = [];
  const written: WriteConsoleRequest[] = [];
  network.listen("cells", [
    bindService(ConsoleTokenServiceDefinition, {
      storeConsoleToken: async () => StoreConsoleTokenResponse.fromPartial({}),
      getConsoleToken: async (_ctx, { tokenHash }) => {
        const token = kept.get(Buffer.from(tokenHash).toString("hex"));
        if (hashOf("lost") === Buffer.from(tokenHash).toString("hex")) throw E.DATABASE_NOT_FOUND({});
        if (token === undefined) throw E.CONSOLE_TOKEN_NOT_FOUND({});
        return { token, agentAddress: "agent" };
      },
    }),
  ]);
  network.listen("agent", [
    bindPart(AgentServiceDefinition, {
      async *openConsole(_ctx, request) {
        opened.push(request);
        yield { output: Buffer.alloc(0) };
        yield { output: Buffer.from("word") };
      },
      writeConsole: async (_ctx, request) => {
        written.push(request);
        return WriteConsoleResponse.fromPartial({});
      },
    }),
  ]);
  const connect = (address: string) => network.connect(address, { service: "console", host: "" });
  const consoles = clusterConsoles({
    tokens: connect("cells").client(ConsoleTokenServiceDefinition),
    agent: (_host, address) => connect(address),
    ids: { uuid: () => "session" },
  });
  return { consoles, opened, written };
}

describe("consoles of a cluster", () => {
  const found = (kind: FoundConsole["kind"]): FoundConsole => ({
    ...{ serverId: "s1", projectId: "p1", kind, host: "h1", agentAddress: "agent", run: "r1" },
    expiresAtMs: 12_000,
  });

  it("are found by the hash of a token, which nobody else is told", async () => {
    const { consoles } = aCluster();
    assert.deepEqual(await consoles.find(ctx, "novnc"), found("vnc"));
    assert.deepEqual(await consoles.find(ctx, "serial"), found("serial"));
    assert.equal(await consoles.find(ctx, "other"), undefined);
    // Nobody can say whether that one is good.
    await assert.rejects(consoles.find(ctx, "lost"), { reason: "DATABASE_NOT_FOUND" });
  });

  for (const [kind, asked] of [
    ["vnc", ConsoleKind.CONSOLE_KIND_VNC],
    ["serial", ConsoleKind.CONSOLE_KIND_SERIAL],
  ] as const)
    it(`are opened at the host's agent: ${kind}`, async () => {
      const { consoles, opened, written } = aCluster();
      const line = consoles.open(ctx, found(kind));
      const said: string[] = [];
      for await (const bytes of line.output) said.push(Buffer.from(bytes).toString());
      await line.write(ctx, Buffer.from("key"));
      assert.deepEqual(said, ["", "word"]);
      assert.deepEqual(opened, [
        { host: "h1", serverId: "s1", kind: asked, run: "r1", sessionId: "session" },
      ]);
      assert.deepEqual(
        written.map(({ host, sessionId, input }) => [host, sessionId, Buffer.from(input).toString()]),
        [["h1", "session", "key"]],
      );
    });
});
