import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { IsMember } from "../firewall/rules.js";
import { compileRules } from "../firewall/rules.js";
import { PortFirewall } from "../firewall/port-firewall.js";
import type { IpHex, Mac } from "../packet/address.js";
import { parseIp, parseMac } from "../packet/address.js";
import { maxVni } from "../packet/vxlan.js";
import type { PortConfig } from "../port-config.js";
import { SwitchErrors } from "../errors.js";
import { TcpStack } from "../tcp/stack.js";
import type { TcpStream } from "../tcp/stream.js";
import { Counters } from "./counters.js";
import type { Guard } from "./guard.js";
import { makeGuard } from "./guard.js";
import { LocalServices } from "./local-services.js";

/** A guest may hold this many metadata connections open at a time. */
const maxMetadataConnections = 64;
const ipAndTcpHeaderBytes = 40;

export interface PortOutputs {
  /** Puts a frame on its way to the guest. */
  readonly toGuest: (frame: Buffer) => void;
  /** A metadata connection of this port's guest. */
  readonly metadata: (stream: TcpStream) => void;
  readonly isMember: IsMember;
  readonly now: () => number;
}

/** One port as the data path works with it: its configuration compiled, and its state. */
export class SwitchPort {
  readonly counters = new Counters();
  readonly tcp: TcpStack;
  readonly #outputs: PortOutputs;
  #compiled: Compiled;

  /** @throws PORT_INVALID */
  constructor(config: PortConfig, outputs: PortOutputs) {
    this.#outputs = outputs;
    this.tcp = new TcpStack({
      mss: () => this.config.mtu - ipAndTcpHeaderBytes,
      maxConnections: maxMetadataConnections,
      now: outputs.now,
      initialSequence: () => randomBytes(4).readUInt32BE(),
      accept: outputs.metadata,
      send: (remoteIp, segment) => this.services.sendTcp(remoteIp, segment),
    });
    this.#compiled = this.#compile(config, undefined);
  }

  get config(): PortConfig {
    return this.#compiled.config;
  }
  get mac(): Mac {
    return this.#compiled.mac;
  }
  get ips(): readonly IpHex[] {
    return this.#compiled.ips;
  }
  get guard(): Guard {
    return this.#compiled.guard;
  }
  get services(): LocalServices {
    return this.#compiled.services;
  }
  /** undefined when port security is off. */
  get firewall(): PortFirewall | undefined {
    return this.#compiled.firewall;
  }

  /**
   * Takes a new configuration; counters, conversations and metadata connections go on. @throws PORT_INVALID,
   * changing nothing
   */
  update(config: PortConfig): void {
    this.#compiled = this.#compile(config, this.#compiled);
  }

  close(): void {
    this.tcp.close();
  }

  #compile(config: PortConfig, before: Compiled | undefined): Compiled {
    try {
      if (!Number.isInteger(config.vni) || config.vni < 1 || config.vni > maxVni)
        throw new Error(`vni ${config.vni} is out of range`);
      if (config.mtu < 68 || config.mtu > 65_000) throw new Error(`mtu ${config.mtu} is out of range`);
      const mac = parseMac(config.macAddress);
      const rules = compileRules(config.securityRules);
      const compiled = {
        config,
        mac,
        guard: makeGuard(config),
        ips: config.fixedIps.map((fixed) => parseIp(fixed.ip)),
        services: new LocalServices(config, mac, { send: this.#outputs.toGuest, tcp: this.tcp }),
        firewall: config.portSecurity
          ? (before?.firewall ?? new PortFirewall(rules, this.#outputs.isMember))
          : undefined,
      };
      // The same rules again are no change: conversations need not be judged anew.
      if (!isDeepStrictEqual(before?.config.securityRules, config.securityRules))
        compiled.firewall?.setRules(rules);
      return compiled;
    } catch (error) {
      throw SwitchErrors.PORT_INVALID(
        { portId: config.portId, problem: error instanceof Error ? error.message : String(error) },
        { cause: error },
      );
    }
  }
}

interface Compiled {
  readonly config: PortConfig;
  readonly mac: Mac;
  readonly ips: readonly IpHex[];
  readonly guard: Guard;
  readonly services: LocalServices;
  readonly firewall: PortFirewall | undefined;
}
