import assert from "node:assert/strict";
import { formatMac, parseIp, parseMac } from "../packet/address.js";
import { parseArp } from "../packet/arp.js";
import { buildDhcp, dhcpType, parseDhcp } from "../packet/dhcp.js";
import { parseEthernet } from "../packet/ethernet.js";
import { icmpType, parseIcmp } from "../packet/icmp.js";
import { parseIpv4 } from "../packet/ipv4.js";
import { parseUdp } from "../packet/udp.js";
import { vxlanHeader } from "../packet/vxlan.js";
import type { PeerConfig } from "../port-config.js";
import { arpFrame, echoFrame, end, udpFrame } from "../testing/frames.js";
import { somePort } from "../testing/some-port.js";
import { serviceMac } from "./local-services.js";
import { VirtualSwitch } from "./virtual-switch.js";

const peerB: PeerConfig = { host: "b", address: "127.0.0.1", port: 5001 };
const peerC: PeerConfig = { host: "c", address: "127.0.0.1", port: 5002 };
const gateway = { mac: serviceMac(77), ip: "10.77.0.254" };
const everyone = { mac: "ff:ff:ff:ff:ff:ff", ip: "255.255.255.255" };

/** A switch whose outputs are lists: `port-1 <frame>` and `b <frame>`. */
function scene() {
  const out: { to: string; frame: Buffer }[] = [];
  let nowMs = 0;
  const sw = new VirtualSwitch({
    toGuest: (portId, frame) => {
      out.push({ to: portId, frame });
      return undefined;
    },
    toPeer: (peer, header, frame) => {
      out.push({
        to: header.readUIntBE(4, 3) === 77 ? peer.host : `${peer.host}/${header.readUIntBE(4, 3)}`,
        frame,
      });
    },
    metadata: () => assert.fail("nobody asks for metadata here"),
    now: () => nowMs,
  });
  return {
    sw,
    out,
    pass: (ms: number) => {
      nowMs += ms;
    },
    /** Sends a frame and tells where it went. */
    from: (portId: string, frame: Buffer): string[] => {
      out.length = 0;
      sw.fromGuest(portId, frame);
      return out.map(({ to }) => to);
    },
    fromPeer: (peer: PeerConfig, frame: Buffer, vni = 77): string[] => {
      out.length = 0;
      sw.fromTunnel(peer.address, peer.port, Buffer.concat([vxlanHeader(vni), frame]));
      return out.map(({ to }) => to);
    },
    drops: (portId: string) => sw.portStats(() => true).find((port) => port.portId === portId)?.dropsByReason,
    first: (): Buffer => {
      const found = out[0];
      assert.ok(found);
      return found.frame;
    },
  };
}

/** Ports 1 and 2 here, `b` and `c` elsewhere. */
function twoPorts() {
  const s = scene();
  s.sw.setPort(somePort(1));
  s.sw.setPort(somePort(2));
  s.sw.setPeers([peerB, peerC]);
  s.sw.setGroups([{ groupId: "default", addresses: ["10.77.0.3"] }]);
  return s;
}

describe("virtual switch", () => {
  it("sends to a known port directly, and broadcasts to all ports of the network and all peers", () => {
    const s = twoPorts();
    s.sw.setPort(somePort(9, { vni: 78 }));
    assert.deepEqual(s.from("port-1", udpFrame(end(1), end(2), [1, 2])), ["port-2"]);
    assert.deepEqual(s.from("port-1", arpFrame(end(1), "10.77.0.3")), ["port-2", "b", "c"]);
    assert.deepEqual(s.from("port-9", arpFrame(end(9), "10.77.0.3")), ["b/78", "c/78"]);
  });

  it("asks every peer for an unknown address, then only the one it learned, and forgets with time and with the peer", () => {
    const s = twoPorts();
    const frame = udpFrame(end(1), end(3), [1, 2]);
    assert.deepEqual(s.from("port-1", frame), ["b", "c"]);
    assert.deepEqual(s.fromPeer(peerC, udpFrame(end(3), end(1), [2, 1])), ["port-1"]);
    assert.deepEqual(s.from("port-1", frame), ["c"]);
    s.pass(301_000);
    assert.deepEqual(s.from("port-1", frame), ["b", "c"]);
    s.fromPeer(peerC, udpFrame(end(3), end(1), [2, 1]));
    s.sw.setPeers([peerB]);
    assert.deepEqual(s.from("port-1", frame), ["b"]);
  });

  it("never sends what came from a peer to another peer", () => {
    const s = twoPorts();
    assert.deepEqual(s.fromPeer(peerB, arpFrame(end(3), "10.77.0.4")), ["port-1", "port-2"]);
    assert.deepEqual(s.fromPeer(peerB, udpFrame(end(3), end(4), [1, 2])), []);
  });

  it("takes tunnel packets only from peers, for known networks, and not in the name of its own ports", () => {
    const s = twoPorts();
    assert.deepEqual(s.fromPeer({ ...peerB, port: 6000 }, udpFrame(end(3), end(1), [1, 2])), []);
    assert.deepEqual(s.fromPeer(peerB, udpFrame(end(3), end(1), [1, 2]), 99), []);
    assert.deepEqual(s.fromPeer(peerB, udpFrame(end(2), end(1), [1, 2])), []);
    s.sw.fromTunnel(peerB.address, peerB.port, Buffer.from("nonsense"));
    const { unknownPeerDrops, unknownNetworkDrops, spoofedDrops, malformedDrops, rxPackets } =
      s.sw.tunnelStats();
    assert.deepEqual(
      [unknownPeerDrops, unknownNetworkDrops, spoofedDrops, malformedDrops, rxPackets],
      [1, 1, 1, 1, 0],
    );
  });

  it("applies the receiver's security groups to local and remote senders", () => {
    const s = twoPorts();
    s.sw.setPort(somePort(2, { securityGroupIds: ["other"], securityRules: [] }));
    assert.deepEqual(s.from("port-1", udpFrame(end(1), end(2), [1, 2])), []);
    assert.deepEqual(s.drops("port-2"), { "security-group": 1 });
    assert.deepEqual(s.fromPeer(peerB, udpFrame(end(4), end(1), [1, 2])), []);
    assert.deepEqual(s.fromPeer(peerB, udpFrame(end(3), end(1), [1, 2])), ["port-1"]);
  });

  it("takes addresses in a member's allowed networks for the member's", () => {
    const s = twoPorts();
    s.sw.setGroups([{ groupId: "default", addresses: ["10.77.0.3", "10.77.0.128/25"] }]);
    assert.deepEqual(s.fromPeer(peerB, udpFrame(end(130), end(1), [1, 2])), ["port-1"]);
    assert.deepEqual(s.fromPeer(peerB, udpFrame(end(100), end(1), [1, 2])), []);
  });

  it("drops lies, giants, broken frames and bridge protocols, and counts them by reason", () => {
    const s = twoPorts();
    s.from("port-1", udpFrame(end(2), end(1), [1, 2]));
    s.from("port-1", udpFrame(end(1), end(2), [1, 2], Buffer.alloc(1450)));
    s.from("port-1", Buffer.alloc(5));
    s.from("port-1", udpFrame(end(1), { mac: "01:80:c2:00:00:00", ip: "10.77.0.2" }, [1, 2]));
    assert.deepEqual(s.out, []);
    assert.deepEqual(s.drops("port-1"), { "spoofed-mac": 1, oversize: 1, malformed: 1, "forbidden-type": 1 });
    const stats = s.sw.portStats(() => false).find((port) => port.portId === "port-1");
    assert.deepEqual(
      [stats?.txPackets, stats?.txDrops, stats?.rxPackets, stats?.connected],
      [4, 4, 0, false],
    );
  });

  it("counts from the guest's point of view", () => {
    const s = twoPorts();
    const frame = udpFrame(end(1), end(2), [1, 2]);
    s.from("port-1", frame);
    const [one, two] = s.sw.portStats(() => true);
    assert.deepEqual([one?.txPackets, one?.txBytes, one?.rxPackets], [1, frame.length, 0]);
    assert.deepEqual([two?.rxPackets, two?.rxBytes, two?.txPackets], [1, frame.length, 0]);
  });

  it("answers ARP for gateway and metadata address under its own MAC address, and lets other requests through", () => {
    const s = twoPorts();
    for (const ip of ["10.77.0.254", "169.254.169.254"]) {
      assert.deepEqual(s.from("port-1", arpFrame(end(1), ip)), ["port-1"]);
      const answer = parseArp(parseEthernet(s.first())?.payload ?? Buffer.alloc(0));
      assert.deepEqual(
        [answer?.operation, answer?.senderMac, answer?.senderIp, answer?.targetIp],
        ["reply", serviceMac(77), parseIp(ip), parseIp("10.77.0.1")],
      );
    }
    assert.equal(formatMac(serviceMac(77)), "fa:16:3f:00:00:4d");
  });

  it("answers pings to the gateway, and drops what would need a router", () => {
    const s = twoPorts();
    assert.deepEqual(s.from("port-1", echoFrame(end(1), gateway)), ["port-1"]);
    const packet = parseIpv4(parseEthernet(s.first())?.payload ?? Buffer.alloc(0));
    assert.equal(packet?.source, parseIp(gateway.ip));
    assert.deepEqual(parseIcmp(packet.payload)?.type, icmpType.echoReply);
    assert.deepEqual(s.from("port-1", echoFrame(end(1), { ...gateway, ip: "192.0.2.1" })), []);
    assert.deepEqual(s.drops("port-1"), { unrouted: 1 });
  });

  it("serves DHCP to the port's own guest and nobody else hears it", () => {
    const s = twoPorts();
    const discover = (mac: string): Buffer =>
      buildDhcp({
        operation: "request",
        type: dhcpType.discover,
        transactionId: 9,
        broadcast: false,
        clientIp: "00000000",
        yourIp: "00000000",
        serverIp: "00000000",
        clientMac: parseMac(mac),
        options: new Map(),
      });
    assert.deepEqual(
      s.from("port-1", udpFrame({ ...end(1), ip: "0.0.0.0" }, everyone, [68, 67], discover(end(1).mac))),
      ["port-1"],
    );
    const datagram = parseUdp(
      parseIpv4(parseEthernet(s.first())?.payload ?? Buffer.alloc(0))?.payload ?? Buffer.alloc(0),
    );
    assert.deepEqual([datagram?.sourcePort, datagram?.destinationPort], [67, 68]);
    const offer = parseDhcp(datagram?.payload ?? Buffer.alloc(0));
    assert.deepEqual(
      [offer?.type, offer?.yourIp, offer?.transactionId],
      [dhcpType.offer, parseIp("10.77.0.1"), 9],
    );
    assert.deepEqual(
      s.from("port-1", udpFrame({ ...end(1), ip: "0.0.0.0" }, everyone, [68, 67], discover(end(2).mac))),
      [],
    );
  });

  it("without port security learns where addresses are and delivers unknown ones", () => {
    const s = twoPorts();
    s.sw.setPort(somePort(5, { portSecurity: false, securityRules: [] }));
    s.sw.setPort(somePort(6, { portSecurity: false, securityRules: [] }));
    const inner = { mac: "02:00:00:00:00:aa", ip: "10.77.0.77" };
    assert.deepEqual(s.from("port-6", udpFrame(end(6), inner, [1, 2])), ["port-5", "b", "c"]);
    s.from("port-5", udpFrame(inner, end(6), [2, 1]));
    assert.deepEqual(s.from("port-6", udpFrame(end(6), inner, [1, 2])), ["port-5"]);
  });

  it("cuts a port off while it is administratively down", () => {
    const s = twoPorts();
    s.sw.setPort(somePort(2, { adminStateUp: false }));
    assert.deepEqual(s.from("port-1", udpFrame(end(1), end(2), [1, 2])), []);
    assert.deepEqual(s.from("port-2", udpFrame(end(2), end(1), [1, 2])), []);
    assert.deepEqual(s.drops("port-2"), { "admin-down": 2 });
  });

  it("moves a port to another network or address, and forgets a removed one", () => {
    const s = twoPorts();
    s.sw.setPort(somePort(2, { macAddress: "fa:16:3e:00:00:22" }));
    assert.deepEqual(s.from("port-1", udpFrame(end(1), end(2), [1, 2])), ["b", "c"]);
    assert.deepEqual(s.from("port-1", udpFrame(end(1), { ...end(2), mac: "fa:16:3e:00:00:22" }, [1, 2])), [
      "port-2",
    ]);
    s.sw.setPort(somePort(2, { vni: 78 }));
    assert.deepEqual(s.from("port-1", arpFrame(end(1), "10.77.0.2")), ["b", "c"]);
    s.sw.removePort("port-1");
    s.sw.removePort("port-1");
    assert.deepEqual(s.from("port-1", arpFrame(end(1), "10.77.0.2")), []);
    assert.equal(s.sw.portStats(() => true).length, 1);
  });

  it("refuses an impossible configuration and keeps the one before", () => {
    const s = twoPorts();
    for (const bad of [
      { macAddress: "x" },
      { vni: 0 },
      { vni: 1 << 24 },
      { mtu: 10 },
      { fixedIps: [{ ip: "10.0.0.999", prefixLength: 24, dns: [], routes: [], dhcp: true }] },
    ]) {
      assert.throws(() => s.sw.setPort(somePort(2, bad)), { reason: "PORT_INVALID" });
      assert.throws(() => s.sw.setPort(somePort(8, bad)), { reason: "PORT_INVALID" });
    }
    assert.throws(() => s.sw.setGroups([{ groupId: "g", addresses: ["nonsense"] }]), {
      reason: "CONFIG_INVALID",
    });
    assert.deepEqual(s.from("port-1", udpFrame(end(1), end(2), [1, 2])), ["port-2"]);
    assert.equal(s.sw.portStats(() => true).length, 2);
  });
});
