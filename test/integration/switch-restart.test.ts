import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PortConfig, SecurityRule } from "../../pkg/compute/switch/index.js";
import { tcpFlag } from "../../pkg/compute/switch/packet/tcp.js";
import { FakeNic } from "../../pkg/compute/switch/testing/fake-nic.js";
import { end, tcpFrame, udpFrame } from "../../pkg/compute/switch/testing/frames.js";
import { somePort } from "../../pkg/compute/switch/testing/some-port.js";
import { startEntry } from "../../pkg/testkit/processes.js";
import type { EntryProcess } from "../../pkg/testkit/processes.js";
import { until } from "../../pkg/testkit/until.js";

describe("conversations over kill -9 of the agent", function () {
  this.timeout(120_000);
  let dir: string;
  let agent: EntryProcess | undefined;
  const nics: FakeNic[] = [];

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "switch-"));
    for (const n of [1, 2]) nics.push(await FakeNic.listen(join(dir, `${n}.sock`)));
  });
  after(async () => {
    await agent?.kill();
    await Promise.all(nics.map((nic) => nic.close()));
    await rm(dir, { recursive: true, force: true });
  });

  const nic = (n: number): FakeNic => nics[n - 1] ?? assert.fail("no such NIC");
  /**
   * The first may only speak first, the second only be spoken to on port 80: no answer has a rule of its own.
   */
  const rules: Readonly<Record<number, SecurityRule>> = {
    1: { direction: "egress", ethertype: "IPv4" },
    2: { direction: "ingress", ethertype: "IPv4", portRangeMin: 80, portRangeMax: 80 },
  };
  const ports = (): PortConfig[] =>
    [1, 2].map((n): PortConfig =>
      somePort(n, {
        socketPath: join(dir, `${n}.sock`),
        securityGroupIds: ["g"],
        securityRules: rules[n] ? [rules[n]] : [],
      }),
    );

  async function startAgent(): Promise<EntryProcess> {
    agent = await startEntry(new URL("./entries/switch-agent.ts", import.meta.url), {
      args: [join(dir, "conversations"), JSON.stringify(ports())],
      ready: /^ready/,
      timeoutMs: 60_000,
    });
    for (const one of nics) await one.until(() => one.connected);
    return agent;
  }
  const sent = async (from: number, to: number, frame: Buffer): Promise<void> => {
    const before = nic(to).received.length;
    // The switch may learn of its connection later than the NIC does; what it does not take, a guest would
    // send again.
    await until(
      () => {
        nic(from).send(frame);
        return nic(to).received.length > before;
      },
      { timeoutMs: 60_000, everyMs: 50, what: `a frame from ${from} to ${to}` },
    );
    assert.deepEqual(nic(to).received.at(-1), frame);
  };
  const kept = async (n: number, count: number): Promise<boolean> =>
    (
      JSON.parse(await readFile(join(dir, "conversations", `port-${n}.json`), "utf8")) as {
        conversations: unknown[];
      }
    ).conversations.length === count;

  it("go on from either side, while what no rule allows is refused as before", async () => {
    const first = await startAgent();
    const ask = udpFrame(end(1), end(2), [5, 80]);
    const answer = udpFrame(end(2), end(1), [80, 5]);
    await sent(1, 2, ask);
    await sent(2, 1, answer);
    await sent(1, 2, tcpFrame(end(1), end(2), [6, 80], { flags: tcpFlag.syn }));
    await sent(2, 1, tcpFrame(end(2), end(1), [80, 6], { flags: tcpFlag.syn | tcpFlag.ack }));
    for (const n of [1, 2])
      await until(() => kept(n, 2), { timeoutMs: 60_000, everyMs: 50, what: `the file of port ${n}` });

    await first.kill();
    for (const one of nics) await one.until(() => !one.connected);
    await startAgent();
    const [toFirst, toSecond] = [nic(1).received.length, nic(2).received.length];
    const refused = [
      udpFrame(end(2), end(1), [80, 7]),
      udpFrame(end(2), end(1), [9, 5]),
      tcpFrame(end(2), end(1), [80, 7], { flags: tcpFlag.ack }),
      tcpFrame(end(2), end(1), [1_000, 22], { flags: tcpFlag.syn }),
    ];
    for (const frame of refused) nic(2).send(frame);
    await sent(2, 1, answer);
    for (const frame of refused) nic(2).send(frame);
    await sent(
      2,
      1,
      tcpFrame(end(2), end(1), [80, 6], { flags: tcpFlag.ack, payload: Buffer.from("goes on") }),
    );
    for (const port of [22, 81]) nic(1).send(tcpFrame(end(1), end(2), [8, port], { flags: tcpFlag.syn }));
    await sent(1, 2, tcpFrame(end(1), end(2), [6, 80], { flags: tcpFlag.ack }));
    for (const [n, since] of [
      [1, toFirst],
      [2, toSecond],
    ] as const) {
      const unwanted = [
        ...refused,
        ...[22, 81].map((port) => tcpFrame(end(1), end(2), [8, port], { flags: tcpFlag.syn })),
      ];
      assert.equal(
        nic(n)
          .received.slice(since)
          .filter((frame) => unwanted.some((bad) => bad.equals(frame))).length,
        0,
      );
    }
  });
});
