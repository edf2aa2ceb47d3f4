import assert from "node:assert/strict";
import { defineErrors, rootCtx } from "../../kernel/index.js";
import { fakeClock } from "../../testkit/clock.js";
import { LostPorts } from "./lost-ports.js";

const Errors = defineErrors("cells", {
  SERVER_NOT_FOUND: ["missing", (_p: Record<string, never>) => "no such server"],
});

/** A cell that answers what it is told to, one answer per report. */
function scene(...answers: readonly (boolean | Error)[]) {
  const clock = fakeClock();
  const ending = new AbortController();
  const told: string[] = [];
  const taken: string[] = [];
  const left = [...answers];
  const ports = new LostPorts({
    host: "host1",
    cell: "cell1",
    clock,
    driver: {
      detachInterface: async (_ctx, serverId, portId) => {
        taken.push(`${serverId} ${portId}`);
        if (portId === "stuck") throw new Error("the guest keeps it");
      },
    },
    cells: {
      reportLostPorts: async (_ctx, { cell, host, serverId, portIds }) => {
        told.push([cell, host, serverId, ...(portIds ?? [])].join(" "));
        const answer = left.shift() ?? true;
        if (answer instanceof Error) throw answer;
        return { settled: answer };
      },
    },
  });
  const ended = ports.run(rootCtx({ requestId: "req-lost", signal: ending.signal }));
  return { ports, clock, told, taken, end: () => (ending.abort(), ended) };
}

describe("reports of lost ports", () => {
  it("come after they are out of the guest, or the guest has kept them", async () => {
    const s = scene();
    await s.clock.advance(10);
    s.ports.note({ serverId: "a", portId: "p" });
    s.ports.note({ serverId: "b", portId: "stuck" });
    await s.clock.advance(10);
    assert.deepEqual(s.taken, ["a p", "b stuck"]);
    assert.deepEqual(s.told, ["cell1 host1 a p", "cell1 host1 b stuck"]);
    await s.end();
  });

  it("are sent at once, and once", async () => {
    const s = scene();
    await s.clock.advance(10);
    s.ports.note({ serverId: "a", portId: "p" });
    await s.clock.advance(10);
    await s.clock.advance(120_000);
    assert.deepEqual(s.told, ["cell1 host1 a p"]);
    await s.end();
  });

  it("are forgotten when the server is not on this host", async () => {
    const s = scene(Errors.SERVER_NOT_FOUND({}));
    s.ports.note({ serverId: "a", portId: "p" });
    for (let i = 0; i < 6; i++) await s.clock.advance(1_000);
    assert.equal(s.told.length, 1);
    await s.end();
  });

  it("are sent again each second until the record has lost the ports", async () => {
    const s = scene(false, new Error("the cell is away"));
    s.ports.note({ serverId: "a", portId: "p" });
    s.ports.note({ serverId: "a", portId: "q" });
    for (let i = 0; i < 6; i++) await s.clock.advance(1_000);
    assert.deepEqual(
      s.told,
      Array.from({ length: 3 }, () => "cell1 host1 a p q"),
    );
    await s.end();
  });
});
