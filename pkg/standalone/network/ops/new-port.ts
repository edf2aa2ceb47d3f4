import type { Transaction } from "kysely";
import { makeMac } from "../domain/addresses.js";
import type { FixedIp, Port } from "../domain/model.js";
import type { AddressWish, ResolvedWish } from "../adapters/sql/addresses.js";
import { firstChoice, resolveWishes, takeAddress } from "../adapters/sql/addresses.js";
import { insertPort } from "../adapters/sql/ports.js";
import { subnetsOf } from "../adapters/sql/subnets.js";
import type { AddressedSubnet } from "../adapters/sql/subnets.js";
import type { NetworkTables } from "../adapters/sql/tables.js";
import { E } from "../errors.js";
import type { NetworkParts } from "../ports.js";
import { newStandard } from "../domain/model.js";

/** What differs from port to port. */
export type PortSeed = Pick<Port, "networkId" | "projectId"> &
  Partial<Omit<Port, "fixedIps" | "macAddress">> & {
    readonly macAddress?: string | undefined;
  };

const MAC_ATTEMPTS = 4;

/** How a port is addressed. */
export interface Addressing {
  /** Undefined: one of each IP version, as the network's subnets allow. */
  readonly wishes: readonly AddressWish[] | undefined;
  /** The network's, when the caller has read them already. */
  readonly subnets?: readonly AddressedSubnet[];
}

/**
 * Stores a port with a MAC address of its own and its addresses, within the caller's transaction.
 * @throws what `takeAddress` and `resolveWishes` throw; MAC_ADDRESS_IN_USE
 * @cost one statement when the addresses chosen are free; one more to read the subnets
 */
export async function newPort(
  { clock, ids, random }: NetworkParts,
  tx: Transaction<NetworkTables>,
  seed: PortSeed,
  { wishes, subnets: known }: Addressing,
): Promise<Port> {
  const { macAddress: mac, ...rest } = seed;
  const port: Port = {
    ...newStandard(ids.uuid(), seed.projectId, clock.now()),
    adminStateUp: true,
    status: "DOWN",
    deviceId: "",
    deviceOwner: "",
    portSecurityEnabled: true,
    allowedAddressPairs: [],
    extraDhcpOpts: [],
    dnsName: "",
    hostId: "",
    vnicType: "normal",
    bindingProfile: {},
    securityGroupIds: [],
    ...rest,
    macAddress: mac ?? "",
    fixedIps: [],
  };
  const subnets = known ?? (await subnetsOf(tx, port.networkId));
  // Three random bytes collide now and then in a large network.
  for (let attempt = 0; ; attempt++) {
    const made: Port = { ...port, macAddress: mac ?? makeMac(random) };
    const resolved = resolveWishes(subnets, made, wishes);
    const choices = resolved.map((wish) => firstChoice(wish, random));
    const taken = await insertPort(tx, made, choices);
    if (taken !== undefined)
      return {
        ...made,
        fixedIps: await completed(
          tx,
          made,
          resolved,
          (at) => (taken.has(at) ? choices[at] : undefined),
          random,
        ),
      };
    if (mac !== undefined || attempt >= MAC_ATTEMPTS)
      throw E.MAC_ADDRESS_IN_USE({ network: made.networkId, mac: made.macAddress });
  }
}

/** The addresses stored with the port, and others for those that were not free. */
async function completed(
  tx: Transaction<NetworkTables>,
  port: Port,
  resolved: readonly ResolvedWish[],
  stored: (at: number) => FixedIp | undefined,
  random: () => number,
): Promise<FixedIp[]> {
  const out: FixedIp[] = [];
  for (const [at, wish] of resolved.entries())
    out.push(stored(at) ?? (await takeAddress(tx, port, wish, at, random)));
  return out;
}
