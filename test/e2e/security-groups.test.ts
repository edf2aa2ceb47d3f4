import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { fileURLToPath } from "node:url";
import { Guest, settled } from "./security-groups/guest.js";
import { Cloud } from "./support/cloud.js";
import { getJson, tokenOf } from "./support/identity.js";
import { OpenStackShell } from "./support/openstack-shell.js";
import { qemuProcesses } from "./support/traces.js";

type Row = Record<string, unknown>;

const PORT_OFFSET = 16_000;
const userData = fileURLToPath(new URL("./security-groups/guest-agent.sh", import.meta.url));
/** Addresses of the three: one on each network, and `middle` on both. */
const left = "10.61.0.10";
const middleLeft = "10.61.0.50";
const middleRight = "10.62.0.50";
const right = "10.62.0.10";
/** What the guests make of the prefix that the left network's router advertisements tell, by RFC 4291. */
const left6 = "fd61::f816:3eff:fe61:10";
const middleLeft6 = "fd61::f816:3eff:fe61:50";
const macs = {
  left: "fa:16:3e:61:00:10",
  middleLeft: "fa:16:3e:61:00:50",
  middleRight: "fa:16:3e:62:00:50",
  right: "fa:16:3e:62:00:10",
  nobody: "fa:16:3e:66:66:66",
};

/**
 *     left (front) ── left network ── middle (back) ── right network ── right (front)
 *
 * `left` and `middle` are on different hosts. Everything is checked from inside the guests.
 */
describe("security groups between three QEMU guests", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let demo: OpenStackShell;
  const guests = new Map<string, Guest>();
  const guest = (name: string): Guest => guests.get(name) ?? assert.fail(name);

  const create = async (...words: readonly string[]): Promise<string> =>
    String((await demo.json<Row>(...words))["id"]);
  const rule = (group: string, ...words: readonly string[]): Promise<string> =>
    create("security", "group", "rule", "create", ...words, group);
  const port = (
    name: string,
    network: string,
    group: string,
    address: string,
    mac: string,
    ...more: readonly string[]
  ): Promise<string> =>
    create(
      "port",
      "create",
      "--network",
      network,
      "--security-group",
      group,
      "--mac-address",
      mac,
      "--fixed-ip",
      `ip-address=${address}`,
      ...more,
      name,
    );
  const boot = async (name: string, ...words: readonly string[]): Promise<void> => {
    const image = String((await demo.json<Row[]>("image", "list"))[0]?.["ID"]);
    const id = await create(
      "server",
      "create",
      "--image",
      image,
      "--flavor",
      "m1.nano",
      "--user-data",
      userData,
      ...words,
      name,
    );
    guests.set(name, new Guest(name, id, () => cloud));
  };
  /** Who answers whom, of everything that is tried. */
  const reach = async (): Promise<Readonly<Record<string, readonly string[]>>> => {
    const [fromLeft, fromMiddle, fromRight] = await Promise.all([
      guest("left").reaches(
        `ping_to ${middleLeft}`,
        `tcp_to ${middleLeft} 8080`,
        `tcp_to ${middleLeft} 9090`,
        `ping_to ${right}`,
        `tcp_to ${middleRight} 8080`,
      ),
      guest("middle").reaches(
        `ping_to ${left}`,
        `tcp_to ${left} 8080`,
        `ping_to ${right}`,
        `tcp_to ${right} 8080`,
      ),
      guest("right").reaches(
        `ping_to ${middleRight}`,
        `tcp_to ${middleRight} 8080`,
        `tcp_to ${middleRight} 9090`,
        `ping_to ${left}`,
        `tcp_to ${middleLeft} 8080`,
      ),
    ]);
    return { left: fromLeft, middle: fromMiddle, right: fromRight };
  };
  const assertReach = async (wished: Readonly<Record<string, readonly string[]>>): Promise<void> =>
    assert.deepEqual(await settled(reach, (found) => isDeepStrictEqual(found, wished)), wished);

  /**
   * `middle` lies on both its networks. @returns how many of its pings the others heard, and the ARP entries
   * that they believe
   */
  const spoof = async (): Promise<{ echoes: number[]; neighbours: string[] }> => {
    const ears = (): Promise<string[]> =>
      Promise.all(["left", "right"].map(async (name) => (await guest(name).run("heard"))[0] ?? ""));
    const echoesIn = (text: string): number => Number(/echoes=(\d+)/.exec(text)?.[1]);
    const before = await ears();
    for (const [own, victim, mac, net] of [
      [middleLeft, left, macs.left, "10.61.0"],
      [middleRight, right, macs.right, "10.62.0"],
    ] as const) {
      const outcome = await guest("middle").run(
        `spoof_mac ${own} ${victim} ${mac} ${macs.nobody}`,
        `spoof_ip ${own} ${victim} ${mac} ${net}.77`,
        `spoof_arp ${own} ${net}.88`,
      );
      assert.deepEqual(outcome, [`sent as ${macs.nobody}`, `sent as ${net}.77`, `told of ${net}.88`]);
    }
    const after = await ears();
    return {
      echoes: after.map((text, i) => echoesIn(text) - echoesIn(before[i] ?? "")),
      neighbours: after.map((text) =>
        [...text.matchAll(/10\.6[12]\.0\.(?:77|88)=\S+/g)].map(([entry]) => entry).join(),
      ),
    };
  };

  before(async () => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET });
    demo = new OpenStackShell(cloud.credentials("demo"));
    for (const [name, cidr] of [
      ["left", "10.61.0.0/24"],
      ["right", "10.62.0.0/24"],
    ] as const) {
      await create("network", "create", name);
      await create("subnet", "create", "--network", name, "--subnet-range", cidr, name);
    }
    for (const group of ["front", "back"]) await create("security", "group", "create", group);
    await create(
      "subnet",
      "create",
      "--network",
      "left",
      "--ip-version",
      "6",
      "--ipv6-ra-mode",
      "slaac",
      "--ipv6-address-mode",
      "slaac",
      "--subnet-range",
      "fd61::/64",
      "left6",
    );
    await rule("back", "--ethertype", "IPv6", "--protocol", "ipv6-icmp", "--remote-group", "front");
    await rule("back", "--protocol", "tcp", "--dst-port", "8080", "--remote-group", "front");
    await rule("back", "--protocol", "icmp", "--remote-ip", "10.61.0.0/28");
    await port("left-port", "left", "front", left, macs.left, "--fixed-ip", "subnet=left6");
    await port("middle-left", "left", "back", middleLeft, macs.middleLeft, "--fixed-ip", "subnet=left6");
    await port("middle-right", "right", "back", middleRight, macs.middleRight);
    await port("right-port", "right", "front", right, macs.right);
    const apart = await create("server", "group", "create", "--policy", "anti-affinity", "apart");
    await boot("left", "--port", "left-port", "--hint", `group=${apart}`);
    await boot("middle", "--port", "middle-left", "--port", "middle-right", "--hint", `group=${apart}`);
    await boot("right", "--port", "right-port");
    await Promise.all([...guests.values()].map((one) => one.ready()));
  });
  after(async () => {
    if (!cloud) return;
    for (const { serverId } of guests.values())
      await demo.run("server", "delete", "--wait", serverId).catch(() => {});
    await demo.close();
    await cloud.stop();
    cloud.forget();
  });

  it("has left and middle on different hosts, with the addresses of the ports that were there before", async () => {
    const { servers } = await getJson<{ servers: Row[] }>(
      `http://127.0.0.1:${cloud.port(8774)}/v2.1/servers/detail?all_tenants=1`,
      await tokenOf(cloud, "admin"),
    );
    const hostOf = (name: string): unknown =>
      servers.find((one) => one["name"] === name)?.["OS-EXT-SRV-ATTR:host"];
    assert.notEqual(hostOf("left"), hostOf("middle"));
    assert.deepEqual(await guest("middle").run("ip -o -4 addr | awk '/eth/ {print $4}'"), [
      `${middleLeft}/24`,
      `${middleRight}/24`,
    ]);
  });

  const asTheRulesSay = {
    left: [`ping ${middleLeft}`, `tcp ${middleLeft}:8080`],
    middle: [],
    right: [`tcp ${middleRight}:8080`],
  };

  it("lets through what a rule by remote group or CIDR allows, its answers, and nothing else", async () => {
    await assertReach(asTheRulesSay);
  });

  it("gives IPv6 addresses by router advertisement, to which rules apply as well", async () => {
    const addresses = (name: string): Promise<readonly string[]> =>
      guest(name).run("ip -o -6 addr | awk '/fd61/ {print $4}'");
    for (const [name, ip] of [
      ["left", left6],
      ["middle", middleLeft6],
    ] as const) {
      assert.deepEqual(
        await settled(
          () => addresses(name),
          (found) => found.length > 0,
        ),
        [`${ip}/64`],
      );
    }
    assert.deepEqual(
      await settled(
        () => guest("left").reaches(`ping_to ${middleLeft6}`),
        (found) => found.length > 0,
      ),
      [`ping ${middleLeft6}`],
    );
    assert.deepEqual(await guest("middle").reaches(`ping_to ${left6}`), []);
  });

  it("follows rules that come and go while the guests run", async () => {
    const toFront = await rule("front", "--protocol", "tcp", "--dst-port", "8080", "--remote-group", "back");
    await assertReach({ ...asTheRulesSay, middle: [`tcp ${left}:8080`, `tcp ${right}:8080`] });
    await demo.run("security", "group", "rule", "delete", toFront);
    await assertReach(asTheRulesSay);
  });

  it("keeps rules, leases and guests over kill -9 of everything", async () => {
    const pids = (): number[] => [...guests.values()].flatMap(({ serverId }) => qemuProcesses(serverId));
    const before = pids();
    await demo.close();
    await cloud.kill();
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, home: cloud.home });
    demo = new OpenStackShell(cloud.credentials("demo"));
    assert.deepEqual(pids(), before);
    await assertReach(asTheRulesSay);
    const renewed = [`renewed ${middleLeft}/24`, `renewed ${middleRight}/24`];
    assert.deepEqual(
      await settled(
        () => guest("middle").run(`renew ${middleLeft}`, `renew ${middleRight}`),
        (found) => isDeepStrictEqual(found, renewed),
      ),
      renewed,
    );
  });

  it("lets nobody hear a guest with a false MAC, IP or ARP, though every ping is allowed", async () => {
    await rule("front", "--protocol", "icmp");
    await assertReach({ ...asTheRulesSay, middle: [`ping ${left}`, `ping ${right}`] });
    assert.deepEqual(await spoof(), { echoes: [0, 0], neighbours: ["", ""] });
  });

  it("lets the same frames through once the ports' security is off", async () => {
    for (const name of ["middle-left", "middle-right"])
      await demo.run("port", "set", "--no-security-group", "--disable-port-security", name);
    const everything = await settled(
      spoof,
      ({ echoes, neighbours }) =>
        echoes.every((count) => count >= 6) && neighbours.every((text) => text.includes(".88=")),
    );
    assert.deepEqual(
      everything.echoes.map((count) => count >= 6),
      [true, true],
      JSON.stringify(everything),
    );
    assert.deepEqual(
      everything.neighbours.map((text) => text.includes(".88=")),
      [true, true],
      JSON.stringify(everything),
    );
  });
});
