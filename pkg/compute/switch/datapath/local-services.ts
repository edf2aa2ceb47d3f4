import type { IpHex, Mac } from "../packet/address.js";
import {
  broadcastMac,
  broadcastV4,
  isGroupMac,
  linkLocalOf,
  parseCidr,
  parseIp,
  unspecifiedV4,
  unspecifiedV6,
  versionOf,
} from "../packet/address.js";
import { buildArp } from "../packet/arp.js";
import type { ArpPacket } from "../packet/arp.js";
import { buildDhcp, dhcpClientPort, dhcpServerPort, parseDhcp } from "../packet/dhcp.js";
import { buildEthernet, etherType } from "../packet/ethernet.js";
import { buildIcmp, icmpType, parseIcmp } from "../packet/icmp.js";
import type { IcmpMessage } from "../packet/icmp.js";
import {
  buildIcmpv6,
  icmpv6Type,
  neighborAdvertisement,
  parseNeighbor,
  routerAdvertisement,
} from "../packet/icmpv6.js";
import type { IpPacket } from "../packet/ip.js";
import { ipProtocol } from "../packet/ip.js";
import { buildIpv4 } from "../packet/ipv4.js";
import { buildIpv6 } from "../packet/ipv6.js";
import type { TcpSegment } from "../packet/tcp.js";
import { buildTcp, parseTcp } from "../packet/tcp.js";
import { buildUdp, parseUdp } from "../packet/udp.js";
import type { PortConfig } from "../port-config.js";
import type { TcpStack } from "../tcp/stack.js";
import type { Lease } from "./dhcp-server.js";
import { answerDhcp, leaseOf, metadataIp } from "./dhcp-server.js";
import type { ParsedFrame } from "./parsed-frame.js";

const metadataPort = 80;
const allNodes: IpHex = `ff02${"0".repeat(27)}1`;
const allNodesMac: Mac = 0x333300000001;
/** Multicast groups that only routers listen to; a network without a real router has nobody behind them. */
const allRouters: IpHex = `ff02${"0".repeat(27)}2`;

/** What became of a frame: answered or swallowed here, or to be forwarded like any other. */
export type LocalVerdict = "handled" | "forward";

/**
 * The MAC address under which the switch itself answers in a network; the same on every host, so that guests
 * may move.
 */
export const serviceMac = (vni: number): Mac => 0xfa163f000000 + vni;

/**
 * The services that a network seems to have towards one port: gateway, DHCP server and metadata server. They
 * live in every switch and never see another port's frames, so what comes in here is surely from this port's
 * guest.
 */
export class LocalServices {
  readonly #mac: Mac;
  readonly #guestMac: Mac;
  readonly #config: PortConfig;
  readonly #lease: Lease | undefined;
  readonly #addresses: ReadonlySet<IpHex>;
  readonly #gatewayV6: IpHex;
  readonly #send: (frame: Buffer) => void;
  readonly #tcp: TcpStack;

  /** @param send  delivers a frame to the guest; @param tcp  the metadata server of this port */
  constructor(config: PortConfig, guestMac: Mac, outputs: { send: (frame: Buffer) => void; tcp: TcpStack }) {
    this.#config = config;
    this.#mac = serviceMac(config.vni);
    this.#guestMac = guestMac;
    this.#send = outputs.send;
    this.#tcp = outputs.tcp;
    this.#lease = leaseOf(config);
    this.#gatewayV6 = linkLocalOf(this.#mac);
    const gateways = config.fixedIps.flatMap((fixed) =>
      fixed.gateway === undefined ? [] : [parseIp(fixed.gateway)],
    );
    this.#addresses = new Set([metadataIp, this.#gatewayV6, ...gateways]);
  }

  handle(frame: ParsedFrame): LocalVerdict {
    if (frame.arp !== undefined) return this.#handleArp(frame.arp);
    if (frame.ip === undefined) return "forward";
    return frame.ip.version === 4 ? this.#handleIpv4(frame, frame.ip) : this.#handleIpv6(frame.ip);
  }

  /** Sends a segment of the metadata server to the guest. */
  sendTcp(remoteIp: IpHex, segment: TcpSegment): void {
    this.#sendIpv4(
      this.#guestMac,
      metadataIp,
      remoteIp,
      ipProtocol.tcp,
      buildTcp(metadataIp, remoteIp, segment),
    );
  }

  #handleArp(arp: ArpPacket): LocalVerdict {
    if (arp.operation !== "request" || !this.#addresses.has(arp.targetIp)) return "forward";
    if (arp.senderIp === arp.targetIp) return "handled"; // a guest claiming the gateway's address gets no say
    const answer = buildArp({
      operation: "reply",
      senderMac: this.#mac,
      senderIp: arp.targetIp,
      targetMac: arp.senderMac,
      targetIp: arp.senderIp,
    });
    this.#send(buildEthernet(arp.senderMac, this.#mac, etherType.arp, answer));
    return "handled";
  }

  #handleIpv4(frame: ParsedFrame, packet: IpPacket): LocalVerdict {
    if (packet.protocol === ipProtocol.udp && packet.fragment === undefined) {
      const datagram = parseUdp(packet.payload);
      const toServer =
        datagram?.destinationPort === dhcpServerPort &&
        (isGroupMac(frame.destination) || frame.destination === this.#mac);
      if (datagram && toServer) {
        // Without DHCP on the subnet a broadcast may be meant for a server among the guests (port security
        // off).
        if (this.#lease === undefined) return this.#config.portSecurity ? "handled" : "forward";
        this.#handleDhcp(this.#lease, datagram.payload);
        return "handled";
      }
    }
    if (!this.#addresses.has(packet.destination)) return "forward";
    if (packet.fragment !== undefined) return "handled";
    if (packet.protocol === ipProtocol.icmp) this.#answerEcho(packet);
    if (packet.protocol === ipProtocol.tcp && packet.destination === metadataIp) {
      const segment = parseTcp(packet.payload);
      if (segment?.destinationPort === metadataPort) this.#tcp.receive(packet.source, segment);
      else this.#portUnreachable(packet);
    }
    return "handled";
  }

  #handleDhcp(lease: Lease, bytes: Buffer): void {
    const message = parseDhcp(bytes);
    if (message === undefined || message.clientMac !== this.#guestMac) return;
    const answer = answerDhcp(lease, message);
    if (answer === undefined) return;
    const renewing = message.clientIp !== unspecifiedV4 && answer.clientIp !== unspecifiedV4;
    const to = renewing ? message.clientIp : answer.broadcast ? broadcastV4 : answer.yourIp;
    const mac = answer.broadcast && !renewing ? broadcastMac : this.#guestMac;
    const datagram = buildUdp(lease.serverIp, to, {
      sourcePort: dhcpServerPort,
      destinationPort: dhcpClientPort,
      payload: buildDhcp(answer),
    });
    this.#sendIpv4(mac, lease.serverIp, to, ipProtocol.udp, datagram);
  }

  #answerEcho(packet: IpPacket): void {
    const message = parseIcmp(packet.payload);
    if (message?.type !== icmpType.echo) return;
    this.#sendIpv4(
      this.#guestMac,
      packet.destination,
      packet.source,
      ipProtocol.icmp,
      buildIcmp({ ...message, type: icmpType.echoReply }),
    );
  }

  /** Tells the guest at once that nothing listens there, instead of letting it wait. */
  #portUnreachable(packet: IpPacket): void {
    const quoted = Buffer.concat([
      Buffer.alloc(4),
      buildIpv4(packet.source, packet.destination, packet.protocol, packet.payload.subarray(0, 8)),
    ]);
    this.#sendIpv4(
      this.#guestMac,
      packet.destination,
      packet.source,
      ipProtocol.icmp,
      buildIcmp({ type: icmpType.unreachable, code: 3, body: quoted }),
    );
  }

  #sendIpv4(mac: Mac, source: IpHex, destination: IpHex, protocol: number, payload: Buffer): void {
    this.#send(
      buildEthernet(mac, this.#mac, etherType.ipv4, buildIpv4(source, destination, protocol, payload)),
    );
  }

  #handleIpv6(packet: IpPacket): LocalVerdict {
    if (packet.protocol !== ipProtocol.icmpv6 || packet.fragment !== undefined)
      return this.#addresses.has(packet.destination) ? "handled" : "forward";
    const message = parseIcmp(packet.payload);
    if (message?.type === icmpv6Type.neighborSolicitation) {
      const target = parseNeighbor(message)?.target;
      if (target === undefined || !this.#addresses.has(target)) return "forward";
      const solicited = packet.source !== unspecifiedV6;
      this.#sendIcmpv6(
        target,
        solicited ? packet.source : allNodes,
        neighborAdvertisement(target, this.#mac, solicited),
      );
      return "handled";
    }
    if (message?.type === icmpv6Type.routerSolicitation && packet.destination === allRouters) {
      this.#advertiseRouter();
      return this.#config.portSecurity ? "handled" : "forward";
    }
    if (!this.#addresses.has(packet.destination)) return "forward";
    if (message?.type === icmpv6Type.echo)
      this.#sendIcmpv6(packet.destination, packet.source, { ...message, type: icmpv6Type.echoReply });
    return "handled";
  }

  /**
   * Tells the guest its IPv6 prefixes and how to make an address of them; to this port only, so subnets stay
   * apart.
   */
  #advertiseRouter(): void {
    const subnets = this.#config.fixedIps.filter(
      (fixed) => fixed.ipv6Mode !== undefined && versionOf(parseIp(fixed.ip)) === 6,
    );
    if (subnets.length === 0) return;
    this.#sendIcmpv6(
      this.#gatewayV6,
      allNodes,
      routerAdvertisement({
        mac: this.#mac,
        mtu: this.#config.mtu,
        routerLifetimeS: subnets.some((fixed) => fixed.gateway !== undefined) ? 1_800 : 0,
        managed: subnets.some((fixed) => fixed.ipv6Mode === "dhcpv6-stateful"),
        otherConfig: subnets.some((fixed) => fixed.ipv6Mode === "dhcpv6-stateless"),
        prefixes: subnets.map((fixed) => ({
          prefix: parseCidr(`${fixed.ip}/${fixed.prefixLength}`).network.toString(16).padStart(32, "0"),
          prefixLength: fixed.prefixLength,
          autonomous: fixed.ipv6Mode !== "dhcpv6-stateful",
        })),
      }),
    );
  }

  #sendIcmpv6(source: IpHex, destination: IpHex, message: IcmpMessage): void {
    const packet = buildIpv6(
      source,
      destination,
      ipProtocol.icmpv6,
      buildIcmpv6(source, destination, message),
      255,
    );
    this.#send(
      buildEthernet(
        destination === allNodes ? allNodesMac : this.#guestMac,
        this.#mac,
        etherType.ipv6,
        packet,
      ),
    );
  }
}
