import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Worker } from "node:worker_threads";
import { build } from "esbuild";
import type { PortConfig, Switch, SwitchOptions } from "../../pkg/compute/switch/index.js";
import { startSwitch } from "../../pkg/compute/switch/index.js";
import { vxlanHeader } from "../../pkg/compute/switch/packet/vxlan.js";
import { FakeNic } from "../../pkg/compute/switch/testing/fake-nic.js";
import { arpFrame, end, udpFrame } from "../../pkg/compute/switch/testing/frames.js";
import { somePort } from "../../pkg/compute/switch/testing/some-port.js";
import { spawnSwitchWorker } from "../../pkg/compute/switch/worker/spawn-worker.js";
import { silentLogger } from "../../pkg/kernel/index.js";

describe("switch in its thread", function () {
  this.timeout(120_000);
  let dir: string;
  const switches: Switch[] = [];
  const nics: FakeNic[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "switch-"));
  });
  afterEach(async () => {
    await Promise.all(switches.splice(0).map((sw) => sw.close()));
    await Promise.all(nics.splice(0).map((nic) => nic.close()));
    await rm(dir, { recursive: true, force: true });
  });

  const options: SwitchOptions = {
    tunnel: { address: "127.0.0.1", port: 0 },
    log: silentLogger,
    metadata: () => Promise.reject(new Error("nobody asks")),
  };
  const newSwitch = async (spawn?: Parameters<typeof startSwitch>[1]): Promise<Switch> => {
    const sw = await startSwitch(options, spawn);
    switches.push(sw);
    return sw;
  };
  const portAt = (n: number, over: Partial<PortConfig> = {}): PortConfig =>
    somePort(n, { socketPath: join(dir, `${n}.sock`), ...over });
  const newNic = async (n: number): Promise<FakeNic> => {
    const nic = await FakeNic.listen(join(dir, `${n}.sock`));
    nics.push(nic);
    return nic;
  };
  /** Both ends must know: the guest's may be connected before the switch has noticed. */
  const connected = async (sw: Switch, nic: FakeNic, n: number): Promise<void> => {
    await nic.until(() => nic.connected);
    const known = async (): Promise<boolean> => {
      const stats = await sw.stats().catch(() => undefined); // its thread may be on the way back
      return stats?.ports.some((port) => port.portId === `port-${n}` && port.connected) === true;
    };
    while (!(await known())) await new Promise(setImmediate);
  };

  it("connects guests that come before and after their ports, and those that come back", async () => {
    const sw = await newSwitch();
    const one = await newNic(1);
    await sw.setPort(portAt(1));
    await sw.setPort(portAt(2));
    let two = await newNic(2);
    await connected(sw, one, 1);
    await connected(sw, two, 2);
    const frame = udpFrame(end(1), end(2), [1, 2]);
    one.send(frame);
    await two.until(() => two.received.length === 1);
    assert.deepEqual(two.received[0], frame);

    await two.close();
    nics.pop();
    two = await newNic(2);
    await connected(sw, two, 2);
    one.send(frame);
    await two.until(() => two.received.length === 1);
    const stats = (await sw.stats()).ports.find((port) => port.portId === "port-2");
    assert.deepEqual([stats?.rxPackets, stats?.connected], [2, true]);
  });

  it("carries frames between hosts, and believes nobody but its peers", async () => {
    const [a, b] = [await newSwitch(), await newSwitch()];
    await a.setPeers([{ host: "b", address: "127.0.0.1", port: b.tunnelPort }]);
    await b.setPeers([{ host: "a", address: "127.0.0.1", port: a.tunnelPort }]);
    await b.setGroups([{ groupId: "default", addresses: ["10.77.0.1"] }]);
    await a.setPort(portAt(1));
    await b.setPort(portAt(2));
    const [one, two] = [await newNic(1), await newNic(2)];
    await connected(a, one, 1);
    await connected(b, two, 2);
    one.send(arpFrame(end(1), "10.77.0.2"));
    one.send(udpFrame(end(1), end(2), [1, 2]));
    await two.until(() => two.received.length === 2);

    const intruder = createSocket("udp4");
    intruder.send(
      Buffer.concat([vxlanHeader(77), udpFrame(end(1), end(2), [6, 6])]),
      b.tunnelPort,
      "127.0.0.1",
    );
    await once(intruder, "listening");
    const dropped = async (): Promise<number> => (await b.stats()).tunnel.unknownPeerDrops;
    while ((await dropped()) === 0) await new Promise(setImmediate);
    intruder.close();
    assert.equal(two.received.length, 2);
  });

  it("reports a bad port to the caller and keeps working", async () => {
    const sw = await newSwitch();
    await assert.rejects(sw.setPort(portAt(1, { macAddress: "x" })), {
      reason: "PORT_INVALID",
      kind: "invalid",
    });
    await sw.setPort(portAt(1));
    await sw.removePort("port-1");
    await sw.removePort("port-1");
    assert.deepEqual((await sw.stats()).ports, []);
  });

  it("says when its tunnel's address is taken", async () => {
    const taken = await newSwitch();
    await assert.rejects(
      startSwitch({ ...options, tunnel: { address: "127.0.0.1", port: taken.tunnelPort } }),
      { reason: "TUNNEL_UNAVAILABLE" },
    );
  });

  it("comes back with all ports, groups and peers when its thread dies, on the same tunnel port", async () => {
    const workers: Worker[] = [];
    const sw = await newSwitch((init) => {
      const worker = spawnSwitchWorker(init);
      workers.push(worker);
      return worker;
    });
    const port = sw.tunnelPort;
    await sw.setPort(portAt(1));
    await sw.setPort(portAt(2));
    const [one, two] = [await newNic(1), await newNic(2)];
    await connected(sw, one, 1);
    await connected(sw, two, 2);
    await workers[0]?.terminate();
    await one.until(() => !one.connected);
    await sw.setPort(portAt(3)); // a caller need not notice
    await connected(sw, one, 1);
    await connected(sw, two, 2);
    assert.equal((await sw.stats()).ports.length, 3);
    one.send(udpFrame(end(1), end(2), [1, 2]));
    await two.until(() => two.received.length === 1);
    assert.equal(workers.length, 2);
    assert.equal(sw.tunnelPort, port);
  });

  it("drops frames for a guest that does not read, and its neighbours do not suffer", async () => {
    const sw = await newSwitch();
    for (const n of [1, 2, 3]) await sw.setPort(portAt(n));
    const [one, two, three] = [await newNic(1), await newNic(2), await newNic(3)];
    await connected(sw, one, 1);
    await connected(sw, two, 2);
    await connected(sw, three, 3);
    two.pause(true);
    const big = udpFrame(end(1), end(2), [1, 2], Buffer.alloc(1300));
    for (let i = 0; i < 4_000; i += 1) one.send(big);
    one.send(udpFrame(end(1), end(3), [1, 2]));
    await three.until(() => three.received.length === 1);
    const stats = (await sw.stats()).ports.find((port) => port.portId === "port-2");
    assert.ok((stats?.dropsByReason["queue-full"] ?? 0) > 0);
    two.pause(false);
    await two.until(() => two.received.length === stats?.rxPackets);
  });

  it("starts a new connection when QEMU's stream makes no sense", async () => {
    const sw = await newSwitch();
    await sw.setPort(portAt(1));
    const one = await newNic(1);
    await connected(sw, one, 1);
    one.sendRaw(Buffer.alloc(8, 0xff));
    await one.until(() => !one.connected);
    await connected(sw, one, 1);
  });

  for (const [name, splitting] of [
    ["one bundle", false],
    ["a bundle with shared chunks", true],
  ] as const) {
    it(`works from ${name}, with its worker beside it`, async () => {
      const room = fileURLToPath(new URL("../../pkg/compute/switch/", import.meta.url));
      const run = `
        import { startSwitch } from ${JSON.stringify(join(room, "index.ts"))};
        const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
        const sw = await startSwitch({ tunnel: { address: "127.0.0.1", port: 0 }, log, metadata: async () => ({ status: 200, headers: {}, body: new Uint8Array() }) });
        console.log(JSON.stringify(await sw.stats()));
        await sw.close();`;
      await writeFile(join(dir, "run.ts"), run);
      await writeFile(
        join(dir, "other.ts"),
        `export { startSwitch } from ${JSON.stringify(join(room, "index.ts"))};`,
      );
      await writeFile(join(dir, "package.json"), `{"type":"module"}`);
      await build({
        entryPoints: {
          run: join(dir, "run.ts"),
          other: join(dir, "other.ts"),
          "switch-worker": join(room, "worker/worker.ts"),
        },
        bundle: true,
        splitting,
        chunkNames: "chunks/[name]-[hash]",
        platform: "node",
        format: "esm",
        target: "node20",
        outdir: join(dir, "dist"),
        logLevel: "silent",
      });
      const { stdout } = await promisify(execFile)(process.execPath, [join(dir, "dist", "run.js")], {
        timeout: 120_000,
      });
      assert.deepEqual((JSON.parse(stdout) as { ports: unknown }).ports, []);
    });
  }
});
