import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { someGuest } from "../../pkg/compute/guestdata/testing/some-guest.js";
import { metadataService, switchMetadataHandler } from "../../pkg/compute/metadata/index.js";
import { guestSource } from "../../pkg/compute/metadata/testing/guest-source.js";
import type { PortConfig, Switch } from "../../pkg/compute/switch/index.js";
import { startSwitch } from "../../pkg/compute/switch/index.js";
import { somePort } from "../../pkg/compute/switch/testing/some-port.js";
import type { TestGuest } from "../../pkg/guestimage/testing/guest.js";
import { startGuest } from "../../pkg/guestimage/testing/guest.js";
import { testGuestImage } from "../../pkg/guestimage/testing/test-image.js";
import { rootCtx, silentLogger } from "../../pkg/kernel/index.js";
import { until } from "../../pkg/testkit/until.js";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample one@example";

/** The real metadata service over invented guests: instance …001 is `guest-1`. */
const metadata = switchMetadataHandler(
  metadataService(
    guestSource((instanceUuid) => {
      const n = Number(instanceUuid.slice(-3));
      return someGuest({
        uuid: instanceUuid,
        hostname: `guest-${n}`,
        domain: "",
        keys: [{ name: "k", type: "ssh", data: key }],
        userData: Buffer.from(`#!/bin/sh\necho user data of ${n}\n`),
      });
    }),
  ),
  () => rootCtx({ requestId: "req-test" }),
);

describe("switch with real guests", function () {
  this.timeout(420_000);
  let dir: string;
  const switches: Switch[] = [];
  const guests: TestGuest[] = [];

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "switch-"));
  });
  after(async () => {
    for (const guest of guests) await guest.kill();
    for (const sw of switches) await sw.close();
    await rm(dir, { recursive: true, force: true });
  });

  const newSwitch = async (): Promise<Switch> => {
    const sw = await startSwitch({ tunnel: { address: "127.0.0.1", port: 0 }, log: silentLogger, metadata });
    switches.push(sw);
    return sw;
  };
  const v6 = (n: number): string => `2001:db8:77::f816:3eff:fe00:${n}`;
  /** Port n has IPv4 by DHCP and IPv6 by SLAAC. */
  const portAt = (n: number): PortConfig =>
    somePort(n, {
      socketPath: join(dir, `${n}.sock`),
      fixedIps: [
        ...somePort(n).fixedIps,
        {
          ip: v6(n),
          prefixLength: 64,
          gateway: "2001:db8:77::1",
          dns: [],
          routes: [],
          dhcp: true,
          ipv6Mode: "slaac",
        },
      ],
    });
  const bootGuest = async (n: number): Promise<TestGuest> => {
    const { qcow2Path } = await testGuestImage();
    const { macAddress, socketPath } = portAt(n);
    const guest = await startGuest({
      dir: join(dir, `guest-${n}`),
      qcow2Path,
      nics: [{ mac: macAddress, socketPath }],
    });
    guests.push(guest);
    return guest;
  };
  const dropsOf = async (sw: Switch, n: number): Promise<Record<string, number>> => ({
    ...(await sw.stats()).ports.find((port) => port.portId === `port-${n}`)?.dropsByReason,
  });

  /** Asks again when an answer was too late: the machine may have stood still meanwhile. */
  const answers = (guest: TestGuest, ping: string): Promise<unknown> =>
    until(async () => (await guest.shell(ping)).output.includes("2 packets received"), {
      timeoutMs: 60_000,
      what: ping,
    });

  it("gives guests addresses and metadata, connects them on one host and across two, and stops liars", async () => {
    const [first, second] = [await newSwitch(), await newSwitch()];
    await first.setPeers([{ host: "b", address: "127.0.0.1", port: second.tunnelPort }]);
    await second.setPeers([{ host: "a", address: "127.0.0.1", port: first.tunnelPort }]);
    // The group of the port on the other host is known by the control plane only.
    await first.setGroups([{ groupId: "default", addresses: ["10.77.0.3", v6(3)] }]);
    await second.setGroups([{ groupId: "default", addresses: ["10.77.0.1", "10.77.0.2", v6(1), v6(2)] }]);
    await first.setPort(portAt(1));
    await first.setPort(portAt(2));
    await second.setPort(portAt(3));
    const [one, two, three] = [await bootGuest(1), await bootGuest(2), await bootGuest(3)];
    await Promise.all([one, two, three].map((guest) => guest.waitFor(/BOOT-DONE/)));

    assert.match(
      one.console(),
      /net: eth0 10\.77\.0\.1\/24 gw 10\.77\.0\.254 mtu 1450 \(dhcp from 10\.77\.0\.254\)/,
    );
    assert.match(
      two.console(),
      /metadata source=http uuid=00000000-0000-4000-8000-000000000002 hostname=guest-2/,
    );
    assert.match(three.console(), /user data of 3\r\n/);
    assert.ok(three.console().includes(`authorized key: ${key}`));

    for (const [guest, to] of [
      [one, "10.77.0.2"],
      [one, "10.77.0.3"],
      [three, "10.77.0.2"],
      [two, "10.77.0.254"],
    ] as const) {
      await answers(guest, `ping -c 2 -W 5 ${to}`);
    }
    for (const [guest, to] of [
      [one, v6(2)],
      [one, v6(3)],
      [three, "2001:db8:77::1"],
    ] as const) {
      await answers(guest, `ping6 -c 2 -W 5 ${to}`);
    }
    // TCP across the tunnel: an ssh server greets.
    assert.match(
      (await one.shell("nc -w 5 10.77.0.3 22 < /dev/null | head -n 1")).output,
      /SSH-2\.0-dropbear/,
    );
    // A document larger than one segment, whole.
    assert.equal(
      (await two.shell("wget -q -O - http://169.254.169.254/openstack/latest/meta_data.json | tail -c 1"))
        .output,
      "}",
    );
    assert.notEqual((await two.shell("wget -q -O - http://169.254.169.254/no/such/path")).status, 0);

    await one.shell("ip addr add 10.77.0.99/24 dev eth0; ping -c 2 -W 1 -I 10.77.0.99 10.77.0.2");
    await until(
      async () => {
        const drops = await dropsOf(first, 1);
        return (drops["spoofed-ip"] ?? 0) + (drops["spoofed-arp"] ?? 0) > 0;
      },
      { timeoutMs: 60_000, everyMs: 100, what: "the false address to be dropped" },
    );
    await two.shell(
      "ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:01; ip link set eth0 up; ping -c 1 -W 1 10.77.0.1",
    );
    await until(async () => ((await dropsOf(first, 2))["spoofed-mac"] ?? 0) > 0, {
      timeoutMs: 60_000,
      everyMs: 100,
      what: "the false MAC to be dropped",
    });

    // A second interface, plugged in while the guest runs.
    const added = somePort(4, { vni: 78, socketPath: join(dir, "4.sock") });
    await second.setPort(added);
    await three.qmp("netdev_add", {
      type: "stream",
      id: "added",
      server: true,
      addr: { type: "unix", path: added.socketPath },
    });
    await three.qmp("device_add", {
      driver: "virtio-net-pci",
      id: "nic-added",
      netdev: "added",
      mac: added.macAddress,
      bus: "spare",
    });
    await three.waitFor(/nic eth1 added fa:16:3e:00:00:04[^]*net: eth1 10\.77\.0\.4\/24/);

    // The agent restarts: its new switch takes the port over and the guest's traffic goes on.
    await first.close();
    const third = await newSwitch();
    await third.setPeers([{ host: "b", address: "127.0.0.1", port: second.tunnelPort }]);
    await second.setPeers([{ host: "a", address: "127.0.0.1", port: third.tunnelPort }]);
    await third.setGroups([{ groupId: "default", addresses: ["10.77.0.3", v6(3)] }]);
    await third.setPort(portAt(1));
    const pings = (await one.shell("ip addr del 10.77.0.99/24 dev eth0; ping -c 10 -W 5 10.77.0.3")).output;
    assert.ok(Number(/(\d+) packets received/.exec(pings)?.[1]) >= 5, pings);
  });
});
