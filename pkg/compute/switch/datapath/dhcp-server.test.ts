import assert from "node:assert/strict";
import { parseIp, parseMac } from "../packet/address.js";
import type { DhcpMessage } from "../packet/dhcp.js";
import { dhcpOption, dhcpType } from "../packet/dhcp.js";
import { somePort } from "../testing/some-port.js";
import { answerDhcp, leaseOf } from "./dhcp-server.js";

const config = somePort(5, { domain: "novalocal" });
const own = parseIp("10.77.0.5");
const gateway = parseIp("10.77.0.254");
const ip = (text: string): Buffer => Buffer.from(parseIp(text), "hex");

const ask = (over: Partial<DhcpMessage>): DhcpMessage => ({
  operation: "request",
  type: dhcpType.discover,
  transactionId: 1,
  broadcast: false,
  clientIp: "00000000",
  yourIp: "00000000",
  serverIp: "00000000",
  clientMac: parseMac(config.macAddress),
  options: new Map(),
  ...over,
});

function lease(): NonNullable<ReturnType<typeof leaseOf>> {
  const found = leaseOf(config);
  assert.ok(found);
  return found;
}

describe("DHCP server", () => {
  for (const [name, message, wanted] of [
    ["offers the port's address", {}, [dhcpType.offer, own]],
    [
      "acknowledges a client that chose it",
      {
        type: dhcpType.request,
        options: new Map([
          [dhcpOption.serverId, ip("10.77.0.254")],
          [dhcpOption.requestedIp, ip("10.77.0.5")],
        ]),
      },
      [dhcpType.ack, own],
    ],
    [
      "acknowledges a client that remembers its address",
      { type: dhcpType.request, options: new Map([[dhcpOption.requestedIp, ip("10.77.0.5")]]) },
      [dhcpType.ack, own],
    ],
    ["renews", { type: dhcpType.request, clientIp: own }, [dhcpType.ack, own]],
    [
      "refuses another address",
      { type: dhcpType.request, options: new Map([[dhcpOption.requestedIp, ip("10.77.0.6")]]) },
      [dhcpType.nak, "00000000"],
    ],
    [
      "refuses to renew another address",
      { type: dhcpType.request, clientIp: parseIp("10.77.0.6") },
      [dhcpType.nak, "00000000"],
    ],
    [
      "keeps silent when another server was chosen",
      { type: dhcpType.request, options: new Map([[dhcpOption.serverId, ip("10.77.0.9")]]) },
      undefined,
    ],
    ["keeps silent at a release", { type: dhcpType.release, clientIp: own }, undefined],
    ["keeps silent at a decline", { type: dhcpType.decline }, undefined],
    ["keeps silent at a reply", { operation: "reply", type: dhcpType.ack }, undefined],
  ] as const satisfies readonly (readonly [
    string,
    Partial<DhcpMessage>,
    readonly [number, string] | undefined,
  ])[]) {
    it(name, () => {
      const answer = answerDhcp(lease(), ask(message));
      assert.deepEqual(answer && [answer.type, answer.yourIp], wanted);
      if (answer) assert.equal(answer.options.get(dhcpOption.serverId)?.toString("hex"), gateway);
    });
  }

  it("tells everything about the subnet", () => {
    const options = answerDhcp(lease(), ask({}))?.options;
    const hex = (code: number): string | undefined => options?.get(code)?.toString("hex");
    assert.equal(hex(dhcpOption.netmask), "ffffff00");
    assert.equal(hex(dhcpOption.broadcast), parseIp("10.77.0.255"));
    assert.equal(hex(dhcpOption.router), gateway);
    assert.equal(hex(dhcpOption.dns), parseIp("9.9.9.9"));
    assert.equal(hex(dhcpOption.mtu), (1450).toString(16).padStart(4, "0"));
    assert.equal(hex(dhcpOption.leaseTime), (86_400).toString(16).padStart(8, "0"));
    assert.equal(options?.get(dhcpOption.hostname)?.toString(), "guest-5");
    assert.equal(options?.get(dhcpOption.domain)?.toString(), "novalocal");
    assert.equal(hex(dhcpOption.classlessRoutes), `20a9fea9fe${gateway}00${gateway}`);
  });

  it("answers INFORM with settings but without an address or times", () => {
    const answer = answerDhcp(lease(), ask({ type: dhcpType.inform, clientIp: own }));
    assert.equal(answer?.type, dhcpType.ack);
    assert.equal(answer.yourIp, "00000000");
    assert.equal(answer.options.has(dhcpOption.leaseTime), false);
    assert.equal(answer.options.has(dhcpOption.netmask), true);
  });

  it("puts the metadata address on the link where there is no gateway", () => {
    const isolated = leaseOf(
      somePort(5, {
        fixedIps: [
          {
            ip: "10.77.0.5",
            prefixLength: 24,
            dns: [],
            routes: [{ destination: "10.9.0.0/16", nextHop: "10.77.0.7" }],
            dhcp: true,
          },
        ],
      }),
    );
    assert.equal(isolated?.serverIp, parseIp("169.254.169.254"));
    assert.equal(
      isolated.options.get(dhcpOption.classlessRoutes)?.toString("hex"),
      `20a9fea9fe00000000100a09${parseIp("10.77.0.7")}`,
    );
    assert.equal(isolated.options.has(dhcpOption.router), false);
  });

  it("has nothing for a port without DHCP or without IPv4", () => {
    assert.equal(
      leaseOf(
        somePort(5, { fixedIps: [{ ip: "10.77.0.5", prefixLength: 24, dns: [], routes: [], dhcp: false }] }),
      ),
      undefined,
    );
    assert.equal(
      leaseOf(
        somePort(5, { fixedIps: [{ ip: "2001:db8::5", prefixLength: 64, dns: [], routes: [], dhcp: true }] }),
      ),
      undefined,
    );
  });
});
