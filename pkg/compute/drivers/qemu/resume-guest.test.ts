import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCtx } from "../../../kernel/index.js";
import { aGuestSpec } from "../testing/a-spec.js";
import { toDefinition } from "./definition.js";
import { guestPaths } from "./guest-paths.js";
import { setClock } from "./resume-guest.js";

describe("the clock of a guest that goes on", () => {
  const dir = mkdtempSync(join(tmpdir(), "kilonova-clock-"));
  after(() => rmSync(dir, { recursive: true }));

  const asked: { execute: string; arguments: Record<string, number> }[] = [];
  const warned: string[] = [];
  const ctx = rootCtx({ requestId: "req-clock" });
  const quiet = { ...ctx, log: { ...ctx.log, warn: (event: string) => void warned.push(event) } };
  const guest = (guestAgent: boolean) => {
    const definition = toDefinition(aGuestSpec(guestAgent ? { hardware: { guestAgent } } : {}), "pc-q35-7.2");
    return { definition, paths: { ...guestPaths(dir, dir, "x"), agentSocket: join(dir, "qga.sock") } };
  };

  it("is set by its agent to the host's, in ns; without an agent nobody is asked, and a silent one is no failure", async () => {
    await setClock(quiet, guest(true));
    assert.deepEqual(warned, ["compute.qemu.guest.clock-late"]);
    const server = createServer((socket) =>
      socket.on("data", (bytes: Buffer) => {
        const line = JSON.parse(bytes.toString("latin1").replace(/^[^{]*/, "")) as (typeof asked)[number];
        asked.push(line);
        const id = line.arguments["id"];
        socket.write(
          id === undefined ? '{"return": {}}\n' : Buffer.from(`\xff{"return": ${id}}\n`, "latin1"),
        );
      }),
    );
    await new Promise<void>((resolve) => server.listen(join(dir, "qga.sock"), resolve));
    try {
      await setClock(quiet, guest(false));
      assert.equal(asked.length, 0);
      await setClock(quiet, guest(true));
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    const [, question] = asked;
    assert.equal(question?.execute, "guest-set-time");
    const lateMs = Date.now() - (question?.arguments["time"] ?? 0) / 1_000_000;
    assert.ok(lateMs >= 0 && lateMs < 60_000, `${lateMs} ms`);
    assert.equal(warned.length, 1);
  });
});
