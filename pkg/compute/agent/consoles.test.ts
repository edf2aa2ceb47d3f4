import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import type { Ctx } from "../../kernel/index.js";
import { rootCtx } from "../../kernel/index.js";
import { until } from "../../testkit/until.js";
import type { ConsoleKind, Driver } from "../driver.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import { Consoles } from "./consoles.js";

const ctx: Ctx = rootCtx({ requestId: "req-test" });

/** A guest that runs on a fake host, and somebody who opens its consoles. */
async function aHost() {
  const driver = new FakeDriver({ hostname: "h" });
  const { instanceUuid: serverId } = await (async () => {
    const spec = aGuestSpec();
    await driver.define(ctx, spec);
    await driver.powerOn(ctx, spec.instanceUuid);
    return spec;
  })();
  const consoles = new Consoles(driver);
  let sessions = 0;
  const run = async (): Promise<string> => (await consoles.ask(ctx, serverId, "vnc")).run ?? "";
  /** Opens a console; what it has said is in `heard`. */
  const open = async (kind: ConsoleKind = "vnc", init: { readonly run?: string } = {}) => {
    const abort = new AbortController();
    const sessionId = `s${sessions++}`;
    const asked = { serverId, kind, run: init.run ?? (await run()), sessionId };
    const stream = consoles.open({ ...ctx, signal: abort.signal }, asked);
    const first = await stream.next();
    assert.deepEqual([...(first.value ?? [1])], []);
    const session = { heard: "", ended: false, abort, sessionId };
    void (async () => {
      for await (const said of stream) session.heard += said.toString();
      session.ended = true;
    })();
    return session;
  };
  const say = (session: { readonly sessionId: string }, words: string): Promise<void> =>
    consoles.write(ctx, session.sessionId, Buffer.from(words));
  return { driver, serverId, consoles, open, say, run };
}

describe("consoles of an agent", () => {
  it("carry what is said both ways, each to its own", async () => {
    const { open, say } = await aHost();
    const [one, two] = [await open(), await open()];
    await say(one, "one");
    await say(two, "two");
    await until(() => one.heard === "one" && two.heard === "two");
  });

  it("are of one run of the guest: another run ends them, and a token of the old one opens nothing", async () => {
    const { driver, serverId, open, run } = await aHost();
    const session = await open();
    const old = await run();
    await driver.reboot(ctx, serverId, "hard", 0);
    await until(() => session.ended);
    await assert.rejects(open("vnc", { run: old }), { reason: "CONSOLE_CLOSED" });
    await open();
  });

  it("are not taken away by a token of an old run, nor opened while the guest is started anew", async () => {
    const { open, driver, serverId, run } = await aHost();
    const old = await run();
    await driver.reboot(ctx, serverId, "hard", 0);
    const session = await open("serial");
    await assert.rejects(open("serial", { run: old }), { reason: "CONSOLE_CLOSED" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(session.ended, false);

    const line = new PassThrough();
    const runs = ["r1", "r2"];
    const changing = new Consoles({
      guestConsole: async () => ({ run: runs.shift(), connect: async () => line }),
    });
    const asked = { serverId, kind: "vnc", run: "r1", sessionId: "a" } as const;
    await assert.rejects(changing.open(ctx, asked).next(), { reason: "CONSOLE_CLOSED" });
    assert.ok(line.destroyed);
  });

  it("tell no run of a guest that does not run, and end with it", async () => {
    const { driver, serverId, consoles, open, say } = await aHost();
    const session = await open();
    await driver.powerOff(ctx, serverId, 0);
    await until(() => session.ended);
    assert.deepEqual(await consoles.ask(ctx, serverId, "vnc"), { offered: true, run: undefined });
    await assert.rejects(say(session, "x"), { reason: "CONSOLE_CLOSED" });
  });

  it("are closed by whoever opened them", async () => {
    const { open, say } = await aHost();
    const session = await open();
    session.abort.abort();
    await until(() => session.ended);
    await assert.rejects(say(session, "x"), { reason: "CONSOLE_CLOSED" });
  });

  it("give the serial line to who comes last, and leave screens alone", async () => {
    const { open, say } = await aHost();
    const [screen, first] = [await open("vnc"), await open("serial")];
    const second = await open("serial");
    await until(() => first.ended);
    await say(second, "mine");
    await until(() => second.heard === "mine");
    assert.equal(screen.ended, false);
  });

  it("give the serial line to one of two who come at once, the later one", async () => {
    const { open, say } = await aHost();
    const [first, second] = await Promise.allSettled([open("serial"), open("serial")]);
    assert.equal((first as PromiseRejectedResult).reason.reason, "CONSOLE_CLOSED");
    assert.equal(second.status, "fulfilled");
    await say(second.value, "mine");
    await until(() => second.value.heard === "mine");
  });

  it("are not more than a guest may have, also of those who come at once", async () => {
    const { open } = await aHost();
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => open()));
    assert.equal(all.filter(({ status }) => status === "fulfilled").length, 16);
  });

  it("are not more than a guest may have, and a place is free again after one", async () => {
    const { open } = await aHost();
    const all = await Promise.all(Array.from({ length: 16 }, () => open()));
    await assert.rejects(open(), { reason: "TOO_MANY_CONSOLES" });
    all[0]?.abort.abort();
    await until(() => all[0]?.ended === true);
    await open();
  });

  it("need a session of their own", async () => {
    const { consoles, serverId, run, open } = await aHost();
    const { sessionId } = await open();
    for (const taken of ["", sessionId])
      await assert.rejects(
        consoles.open(ctx, { serverId, kind: "vnc", run: await run(), sessionId: taken }).next(),
        { reason: "INVALID_ARGUMENT" },
      );
  });

  it("are not offered by a driver that has none", async () => {
    const consoles = new Consoles({});
    assert.deepEqual(await consoles.ask(ctx, "s", "vnc"), { offered: false, run: undefined });
    const asked = { serverId: "s", kind: "vnc", run: "r", sessionId: "a" } as const;
    await assert.rejects(consoles.open(ctx, asked).next(), { reason: "CONSOLE_CLOSED" });
  });

  it("wait for a guest that takes nothing, and read no more than is taken", async () => {
    const line = new PassThrough({ highWaterMark: 1_000 });
    const driver: Pick<Driver, "guestConsole"> = {
      guestConsole: async () => ({ run: "r", connect: async () => line }),
    };
    const consoles = new Consoles(driver);
    const asked = { serverId: "s", kind: "vnc", run: "r", sessionId: "a" } as const;
    const stream = consoles.open(ctx, asked);
    await stream.next();
    let written = 0;
    const writing = (async () => {
      for (; written < 10; written++) await consoles.write(ctx, "a", Buffer.alloc(1_000));
    })();
    await until(() => line.writableNeedDrain);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(written < 4, `${written} were taken`);
    let read = 0;
    while (read < 10_000) read += ((await stream.next()).value as Buffer).length;
    await writing;
    await stream.return(undefined);
  });

  it("say what is long in pieces", async () => {
    const line = new PassThrough({ highWaterMark: 1 << 20 });
    const consoles = new Consoles({ guestConsole: async () => ({ run: "r", connect: async () => line }) });
    const stream = consoles.open(ctx, { serverId: "s", kind: "vnc", run: "r", sessionId: "a" });
    await stream.next();
    line.write(Buffer.alloc(150_000));
    const sizes = [];
    for (let n = 0; n < 3; n++) sizes.push(((await stream.next()).value as Buffer).length);
    assert.deepEqual(sizes, [65_536, 65_536, 18_928]);
    await stream.return(undefined);
  });
});
