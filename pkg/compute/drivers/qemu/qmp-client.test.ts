import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { KilonovaError } from "../../../kernel/index.js";
import { QmpClient } from "./qmp-client.js";
import type { QmpEvent } from "./qmp-client.js";

const GREETING =
  '{"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},"package":"x"},"capabilities":["oob"]}}\n';
const failsWith =
  (reason: string) =>
  (e: unknown): boolean =>
    e instanceof KilonovaError && e.reason === reason;

/** The other end of a monitor: answers by `answer`, and says what the test makes it say. */
class Monitor extends Duplex {
  readonly heard: { execute: string; arguments?: unknown; id: number }[] = [];
  answer: (command: { execute: string; id: number }) => string | undefined = ({ id }) =>
    JSON.stringify({ return: {}, id });

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const line of chunk.toString().trim().split("\n")) {
      const command = JSON.parse(line) as { execute: string; id: number };
      this.heard.push(command);
      const answer = this.answer(command);
      if (answer !== undefined) this.push(`${answer}\r\n`);
    }
    done();
  }
}

describe("QMP client", () => {
  const greeted = async (): Promise<{ monitor: Monitor; client: QmpClient }> => {
    const monitor = new Monitor();
    monitor.push(GREETING);
    return { monitor, client: await QmpClient.over(monitor, { greetingTimeoutMs: 1_000 }) };
  };

  it("greets, tells the version and runs commands", async () => {
    const { monitor, client } = await greeted();
    assert.deepEqual(client.version, { major: 7, minor: 2, micro: 22 });
    monitor.answer = ({ id }) => JSON.stringify({ return: { status: "running" }, id });
    assert.deepEqual(await client.execute("query-status", { a: 1 }), { status: "running" });
    assert.deepEqual(
      monitor.heard.map((c) => [c.execute, c.arguments]),
      [
        ["qmp_capabilities", undefined],
        ["query-status", { a: 1 }],
      ],
    );
  });

  it("gives up on a monitor that serves somebody else and never greets", async () => {
    const monitor = new Monitor();
    await assert.rejects(QmpClient.over(monitor, { greetingTimeoutMs: 20 }), failsWith("HYPERVISOR_SILENT"));
    assert.ok(monitor.destroyed);
  });

  it("refuses what is no monitor", async () => {
    const monitor = new Monitor();
    monitor.push("SSH-2.0-OpenSSH\n");
    await assert.rejects(
      QmpClient.over(monitor, { greetingTimeoutMs: 1_000 }),
      failsWith("HYPERVISOR_FAILED"),
    );
  });

  it("matches answers that come in another order, and in pieces", async () => {
    const { monitor, client } = await greeted();
    monitor.answer = () => undefined;
    const [one, two] = [client.execute("one"), client.execute("two")];
    const [, idOne, idTwo] = monitor.heard.map((c) => c.id);
    const text = `${JSON.stringify({ return: 2, id: idTwo })}\r\n${JSON.stringify({ return: 1, id: idOne })}\r\n`;
    for (const letter of text) monitor.push(letter);
    assert.deepEqual(await Promise.all([one, two]), [1, 2]);
  });

  it("turns QEMU's error into a refusal, with its text as the cause", async () => {
    const { monitor, client } = await greeted();
    monitor.answer = ({ id }) =>
      JSON.stringify({ error: { class: "DeviceNotFound", desc: "Device 'x' not found" }, id });
    await assert.rejects(
      client.execute("device_del"),
      (e: unknown) =>
        e instanceof KilonovaError &&
        e.reason === "COMMAND_REFUSED" &&
        e.facts["errorClass"] === "DeviceNotFound" &&
        String(e.cause).includes("'x'"),
    );
  });

  it("bounds each command in time and ignores a late answer", async () => {
    const { monitor, client } = await greeted();
    monitor.answer = () => undefined;
    await assert.rejects(client.execute("slow", undefined, 20), failsWith("HYPERVISOR_SILENT"));
    monitor.push(`${JSON.stringify({ return: {}, id: monitor.heard.at(-1)?.id })}\n`);
    monitor.answer = ({ id }) => JSON.stringify({ return: "next", id });
    assert.equal(await client.execute("next"), "next");
  });

  it("delivers events until unsubscribed", async () => {
    const { monitor, client } = await greeted();
    const seen: QmpEvent[] = [];
    const stop = client.onEvent((event) => seen.push(event));
    monitor.push('{"timestamp":{"seconds":1},"event":"SHUTDOWN","data":{"guest":true}}\n{"event":"STOP"}\n');
    await client.execute("sync");
    stop();
    monitor.push('{"event":"RESUME"}\n');
    await client.execute("sync");
    assert.deepEqual(seen, [
      { event: "SHUTDOWN", data: { guest: true } },
      { event: "STOP", data: {} },
    ]);
  });

  it("fails what is under way when the other end goes away, and everything after", async () => {
    const { monitor, client } = await greeted();
    monitor.answer = () => undefined;
    const pending = client.execute("query-status");
    monitor.destroy();
    await assert.rejects(pending, failsWith("MONITOR_CLOSED"));
    await client.closed;
    await assert.rejects(client.execute("query-status"), failsWith("MONITOR_CLOSED"));
  });

  it("hangs up on nonsense and on endless lines", async () => {
    for (const nonsense of ["{not json}\n", "x".repeat(17 * 1024 * 1024)]) {
      const { monitor, client } = await greeted();
      monitor.push(nonsense);
      await client.closed;
    }
  });
});
