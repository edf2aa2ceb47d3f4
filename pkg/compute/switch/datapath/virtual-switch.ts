import type { KeptConversation } from "../firewall/conntrack.js";
import type { Mac } from "../packet/address.js";
import { isGroupMac } from "../packet/address.js";
import { SwitchErrors } from "../errors.js";
import { ethernetHeaderBytes } from "../packet/ethernet.js";
import { parseVxlan, vxlanHeader } from "../packet/vxlan.js";
import type { GroupMembers, PeerConfig, PortConfig } from "../port-config.js";
import type { TcpStream } from "../tcp/stream.js";
import type { DropReason } from "./counters.js";
import { ForwardingTable } from "./forwarding-table.js";
import { GroupDirectory } from "./groups.js";
import { serviceMac } from "./local-services.js";
import type { ParsedFrame } from "./parsed-frame.js";
import { parseFrame } from "./parsed-frame.js";
import type { PortStats, TunnelStats } from "./statistics.js";
import { SwitchPort } from "./switch-port.js";

const vlanTagBytes = 4;
/** 01:80:c2:00:00:0x is for the bridge at the other end of the wire only. @source IEEE 802.1Q §8.6.3 */
const isLinkConstrained = (mac: Mac): boolean => mac >= 0x0180c2000000 && mac <= 0x0180c200000f;

/** How frames and connections leave the data path. */
export interface SwitchOutputs {
  /** @returns why the frame could not be handed over, or undefined */
  readonly toGuest: (portId: string, frame: Buffer) => DropReason | undefined;
  readonly toPeer: (peer: PeerConfig, header: Buffer, frame: Buffer) => void;
  readonly metadata: (port: PortConfig, stream: TcpStream) => void;
  /** Milliseconds on a clock that only moves forward. */
  readonly now: () => number;
}

/** Where a learned address is: a port of this switch (without port security), or another host. */
type Place = { readonly port: SwitchPort } | { readonly peer: PeerConfig };

class Network {
  readonly ports = new Map<Mac, SwitchPort>();
  readonly learned = new ForwardingTable<Place>();
}

/** The switch's decisions without its sockets: which frame goes where. Everything happens synchronously. */
export class VirtualSwitch {
  readonly #outputs: SwitchOutputs;
  readonly #ports = new Map<string, SwitchPort>();
  readonly #networks = new Map<number, Network>();
  readonly #groups = new GroupDirectory();
  #peers = new Map<string, PeerConfig>();
  readonly #tunnel = {
    rxPackets: 0,
    txPackets: 0,
    unknownPeerDrops: 0,
    malformedDrops: 0,
    unknownNetworkDrops: 0,
    spoofedDrops: 0,
  };

  constructor(outputs: SwitchOutputs) {
    this.#outputs = outputs;
  }

  /** @throws PORT_INVALID, changing nothing */
  setPort(config: PortConfig): void {
    const { portId } = config;
    const existing = this.#ports.get(portId);
    const port = existing ?? this.#makePort(config);
    if (existing !== undefined) {
      const before = { vni: existing.config.vni, mac: existing.mac };
      existing.update(config);
      if (before.vni !== config.vni || before.mac !== existing.mac) this.#leave(existing, before);
    }
    this.#ports.set(portId, port);
    this.#networkOf(config.vni).ports.set(port.mac, port);
    if (this.#groups.setPort(portId, config.securityGroupIds, port.ips)) this.#membersChanged();
  }

  /** Lets conversations of an earlier switch go on. A port without security has none. */
  restore(portId: string, kept: readonly KeptConversation[]): void {
    this.#portOf(portId).firewall?.restore(kept, this.#outputs.now());
  }

  /** Ports with conversations that were not given out for keeping yet. */
  unkept(): { readonly portId: string; kept(): readonly KeptConversation[] }[] {
    return [...this.#ports].flatMap(([portId, { firewall }]) =>
      firewall?.unkept ? [{ portId, kept: () => firewall.kept(this.#outputs.now()) }] : [],
    );
  }

  removePort(portId: string): void {
    const port = this.#ports.get(portId);
    if (port === undefined) return;
    port.close(); // still says goodbye to its guest
    this.#leave(port, { vni: port.config.vni, mac: port.mac });
    this.#ports.delete(portId);
    this.#groups.removePort(portId);
    this.#membersChanged();
  }

  setPeers(peers: readonly PeerConfig[]): void {
    this.#peers = new Map(peers.map((peer) => [peerKey(peer.address, peer.port), peer]));
    for (const network of this.#networks.values()) {
      network.learned.forget(
        (place) => "peer" in place && !this.#peers.has(peerKey(place.peer.address, place.peer.port)),
      );
    }
  }

  /** @throws CONFIG_INVALID, changing nothing */
  setGroups(groups: readonly GroupMembers[]): void {
    try {
      if (this.#groups.setTold(groups)) this.#membersChanged();
    } catch (error) {
      throw SwitchErrors.CONFIG_INVALID(
        { problem: error instanceof Error ? error.message : String(error) },
        { cause: error },
      );
    }
  }

  /** A frame that a guest sent. */
  fromGuest(portId: string, raw: Buffer): void {
    const port = this.#ports.get(portId);
    if (port === undefined) return;
    port.counters.sent(raw.length);
    const refusal = this.#admit(port, raw);
    if (refusal !== undefined) port.counters.drop("tx", refusal);
  }

  /** A packet that came in by the tunnel's socket. */
  fromTunnel(address: string, udpPort: number, bytes: Buffer): void {
    const peer = this.#peers.get(peerKey(address, udpPort));
    if (peer === undefined) {
      this.#tunnel.unknownPeerDrops += 1;
      return;
    }
    const packet = parseVxlan(bytes);
    const frame = packet && parseFrame(packet.frame);
    if (packet === undefined || frame === undefined) {
      this.#tunnel.malformedDrops += 1;
      return;
    }
    const network = this.#networks.get(packet.vni);
    if (network === undefined) {
      this.#tunnel.unknownNetworkDrops += 1;
      return;
    }
    const isOurs = frame.source === serviceMac(packet.vni) || network.ports.has(frame.source);
    if (isOurs) {
      this.#tunnel.spoofedDrops += 1;
      return;
    }
    this.#tunnel.rxPackets += 1;
    network.learned.learn(frame.source, { peer }, this.#outputs.now());
    this.#deliverLocally(network, frame, undefined);
  }

  /** Drives the metadata connections' timers; call about ten times a second. */
  tick(): void {
    for (const port of this.#ports.values()) port.tcp.tick();
  }

  portStats(isConnected: (portId: string) => boolean): PortStats[] {
    return [...this.#ports.values()].map(({ config, counters, firewall }) => ({
      portId: config.portId,
      instanceUuid: config.instanceUuid,
      macAddress: config.macAddress,
      connected: isConnected(config.portId),
      rxBytes: counters.rxBytes,
      rxPackets: counters.rxPackets,
      rxDrops: counters.rxDrops,
      txBytes: counters.txBytes,
      txPackets: counters.txPackets,
      txDrops: counters.txDrops,
      dropsByReason: Object.fromEntries(counters.drops),
      trackedConnections: firewall?.connections ?? 0,
    }));
  }

  tunnelStats(): Omit<TunnelStats, "queueDrops"> {
    return { ...this.#tunnel };
  }

  #makePort(config: PortConfig): SwitchPort {
    const { portId } = config;
    return new SwitchPort(config, {
      toGuest: (frame) => this.#handOver(this.#portOf(portId), frame),
      now: this.#outputs.now,
      isMember: this.#groups.isMember,
      metadata: (stream) => this.#outputs.metadata(this.#portOf(portId).config, stream),
    });
  }

  #portOf(portId: string): SwitchPort {
    const port = this.#ports.get(portId);
    if (port === undefined) throw new Error(`port ${portId} is used after its removal`);
    return port;
  }

  #networkOf(vni: number): Network {
    const network = this.#networks.get(vni) ?? new Network();
    this.#networks.set(vni, network);
    return network;
  }

  #leave(port: SwitchPort, was: { vni: number; mac: Mac }): void {
    const network = this.#networkOf(was.vni);
    if (network.ports.get(was.mac) === port) network.ports.delete(was.mac);
    network.learned.forget((place) => "port" in place && place.port === port);
    if (network.ports.size === 0) this.#networks.delete(was.vni);
  }

  #membersChanged(): void {
    for (const port of this.#ports.values()) port.firewall?.membersChanged();
  }

  /** Checks a guest's frame and sends it on. @returns why not */
  #admit(port: SwitchPort, raw: Buffer): DropReason | undefined {
    const { config } = port;
    if (config.adminStateUp === false) return "admin-down";
    if (raw.length > config.mtu + ethernetHeaderBytes + vlanTagBytes) return "oversize";
    const frame = parseFrame(raw);
    if (frame === undefined) return "malformed";
    if (isLinkConstrained(frame.destination)) return "forbidden-type";
    const refusal = port.guard.refuse(frame);
    if (refusal !== undefined) return refusal;
    if (port.services.handle(frame) === "handled") return undefined;
    // This is where a router would take over; without one, nothing beyond the network can be reached.
    if (frame.destination === serviceMac(config.vni)) return "unrouted";
    if (frame.ip && port.firewall && !port.firewall.allows("egress", frame.ip, this.#outputs.now()))
      return "security-group";
    this.#forward(port, frame);
    return undefined;
  }

  #forward(from: SwitchPort, frame: ParsedFrame): void {
    const network = this.#networkOf(from.config.vni);
    if (frame.source !== from.mac) network.learned.learn(frame.source, { port: from }, this.#outputs.now());
    if (this.#deliverLocally(network, frame, from)) return;
    const place = isGroupMac(frame.destination)
      ? undefined
      : network.learned.find(frame.destination, this.#outputs.now());
    const peers = place !== undefined && "peer" in place ? [place.peer] : this.#peers.values();
    const header = vxlanHeader(from.config.vni);
    for (const peer of peers) {
      this.#tunnel.txPackets += 1;
      this.#outputs.toPeer(peer, header, frame.raw);
    }
  }

  /** @returns whether the frame has reached its only destination */
  #deliverLocally(network: Network, frame: ParsedFrame, from: SwitchPort | undefined): boolean {
    if (!isGroupMac(frame.destination)) {
      const port = network.ports.get(frame.destination);
      if (port !== undefined) {
        if (port !== from) this.#deliver(port, frame);
        return true;
      }
      const place = network.learned.find(frame.destination, this.#outputs.now());
      if (place !== undefined) {
        if ("port" in place && place.port !== from) this.#deliver(place.port, frame);
        return "port" in place;
      }
    }
    for (const port of network.ports.values()) {
      // A guest under port security cannot have an address that the switch does not know.
      if (port !== from && (isGroupMac(frame.destination) || !port.config.portSecurity))
        this.#deliver(port, frame);
    }
    return false;
  }

  #deliver(port: SwitchPort, frame: ParsedFrame): void {
    if (port.config.adminStateUp === false) port.counters.drop("rx", "admin-down");
    // Rules cannot see into such a frame, but guests do: Linux reads a packet behind a tag of VLAN 0 as if
    // there were no tag.
    else if (port.firewall && !frame.ip && !frame.arp) port.counters.drop("rx", "forbidden-type");
    else if (frame.ip && port.firewall && !port.firewall.allows("ingress", frame.ip, this.#outputs.now()))
      port.counters.drop("rx", "security-group");
    else this.#handOver(port, frame.raw);
  }

  #handOver(port: SwitchPort, frame: Buffer): void {
    const refusal = this.#outputs.toGuest(port.config.portId, frame);
    if (refusal === undefined) port.counters.received(frame.length);
    else port.counters.drop("rx", refusal);
  }
}

const peerKey = (address: string, port: number): string => `${address} ${port}`;
