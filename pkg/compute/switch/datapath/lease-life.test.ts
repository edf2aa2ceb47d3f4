import assert from "node:assert/strict";
import type { Mac } from "../packet/address.js";
import { broadcastMac, broadcastV4, parseIp, parseMac } from "../packet/address.js";
import type { DhcpMessage } from "../packet/dhcp.js";
import { buildDhcp, dhcpOption, dhcpType, parseDhcp } from "../packet/dhcp.js";
import { parseEthernet } from "../packet/ethernet.js";
import { parseIpv4 } from "../packet/ipv4.js";
import { parseUdp } from "../packet/udp.js";
import type { PortConfig } from "../port-config.js";
import type { End } from "../testing/frames.js";
import { end, udpFrame } from "../testing/frames.js";
import { somePort } from "../testing/some-port.js";
import { serviceMac } from "./local-services.js";
import { VirtualSwitch } from "./virtual-switch.js";

const everyone = { mac: broadcastMac, ip: "255.255.255.255" };
const nobody = "0.0.0.0";

/**
 * A switch with the given ports. @returns what a guest hears when it sends a DHCP message: the one answer,
 * and how it was addressed
 */
function hosting(...ports: readonly PortConfig[]) {
  const out: { to: string; frame: Buffer }[] = [];
  const sw = new VirtualSwitch({
    toGuest: (to, frame) => {
      out.push({ to, frame });
      return undefined;
    },
    toPeer: () => assert.fail("a lease is nobody else's business"),
    metadata: () => assert.fail("no metadata here"),
    now: () => 0,
  });
  for (const port of ports) sw.setPort(port);
  return (
    portId: string,
    from: End,
    to: { mac: string | Mac; ip: string },
    message: Partial<DhcpMessage>,
  ) => {
    out.length = 0;
    sw.fromGuest(
      portId,
      udpFrame(
        from,
        to,
        [68, 67],
        buildDhcp({
          operation: "request",
          type: dhcpType.request,
          transactionId: 9,
          broadcast: false,
          clientIp: parseIp(from.ip),
          yourIp: "00000000",
          serverIp: "00000000",
          clientMac: parseMac(from.mac),
          options: new Map(),
          ...message,
        }),
      ),
    );
    assert.ok(out.length <= 1 && out.every((one) => one.to === portId), "answers go to who asked, once");
    const frame = out[0] && parseEthernet(out[0].frame);
    const packet = frame && parseIpv4(frame.payload);
    const answer = packet && parseDhcp(parseUdp(packet.payload)?.payload ?? Buffer.alloc(0));
    return (
      answer && {
        type: answer.type,
        ip: answer.yourIp,
        to: frame?.destination,
        toIp: packet?.destination,
        options: answer.options,
      }
    );
  };
}

describe("a guest's lease, by its frames", () => {
  const own = parseMac(end(1).mac);
  const server = { mac: serviceMac(77), ip: "10.77.0.254" };

  it("is renewed at T1 by unicast to the server, and at T2 by broadcast, to the address that the guest has", () => {
    const ask = hosting(somePort(1));
    for (const to of [server, everyone]) {
      const answer = ask("port-1", end(1), to, {});
      assert.deepEqual(
        [answer?.type, answer?.ip, answer?.to, answer?.toIp],
        [dhcpType.ack, parseIp(end(1).ip), own, parseIp(end(1).ip)],
      );
    }
  });

  it("has T1 at half and T2 at seven eighths of its time", () => {
    const options = hosting(somePort(1))("port-1", end(1), server, {})?.options;
    const seconds = (option: number): number | undefined => options?.get(option)?.readUInt32BE();
    const lease = seconds(dhcpOption.leaseTime) ?? assert.fail("no lease time");
    assert.deepEqual(
      [seconds(dhcpOption.renewalTime), seconds(dhcpOption.rebindingTime)],
      [lease / 2, (lease * 7) / 8],
    );
  });

  it("is the same from a switch that has never heard of it: renewed, rebound and remembered after a reboot", () => {
    for (const [from, to, message] of [
      [end(1), server, {}],
      [end(1), everyone, {}],
      [
        { ...end(1), ip: nobody },
        everyone,
        { options: new Map([[dhcpOption.requestedIp, Buffer.from(parseIp(end(1).ip), "hex")]]) },
      ],
    ] as const) {
      const answer = hosting(somePort(1))("port-1", from, to, message);
      assert.deepEqual([answer?.type, answer?.ip], [dhcpType.ack, parseIp(end(1).ip)]);
    }
  });

  it("is refused to whoever remembers another address, by broadcast when it can be reached in no other way", () => {
    const other = { options: new Map([[dhcpOption.requestedIp, Buffer.from(parseIp("10.77.0.9"), "hex")]]) };
    const answer = hosting(somePort(1))("port-1", { ...end(1), ip: nobody }, everyone, other);
    assert.deepEqual([answer?.type, answer?.to, answer?.toIp], [dhcpType.nak, broadcastMac, broadcastV4]);
  });

  it("is each network's own for a guest with a NIC on two, by the NIC that asks", () => {
    const second: End = { mac: end(2).mac, ip: "10.78.0.7" };
    const ask = hosting(
      somePort(1),
      somePort(2, {
        instanceUuid: somePort(1).instanceUuid,
        networkId: "net-2",
        vni: 78,
        fixedIps: [
          { ip: second.ip, prefixLength: 24, gateway: "10.78.0.1", dns: [], routes: [], dhcp: true },
        ],
      }),
    );
    for (const [portId, nic, router] of [
      ["port-1", end(1), "10.77.0.254"],
      ["port-2", second, "10.78.0.1"],
    ] as const) {
      const answer = ask(portId, { ...nic, ip: nobody }, everyone, { type: dhcpType.discover });
      assert.deepEqual(
        [answer?.type, answer?.ip, answer?.options.get(dhcpOption.router)?.toString("hex")],
        [dhcpType.offer, parseIp(nic.ip), parseIp(router)],
      );
    }
    assert.equal(
      ask("port-2", second, server, {}),
      undefined,
      "the first network's server is not on the second",
    );
  });
});
