import type { Transaction } from "kysely";
import { makeMac } from "../domain/addresses.js";
import type { Port } from "../domain/model.js";
import type { AddressWish } from "../adapters/sql/addresses.js";
import { assignAddresses } from "../adapters/sql/addresses.js";
import { insertPort } from "../adapters/sql/ports.js";
import type { NetworkTables } from "../adapters/sql/tables.js";
import { E } from "../errors.js";
import type { NetworkParts } from "../ports.js";

/** What differs from port to port. */
export type PortSeed = Pick<Port, "networkId" | "projectId"> & Partial<Omit<Port, "fixedIps" | "macAddress">> & {
  readonly macAddress?: string | undefined;
};

const MAC_ATTEMPTS = 4;

/**
 * Stores a port with a MAC address of its own and its addresses, within the caller's transaction.
 * @throws what `assignAddresses` throws; MAC_ADDRESS_IN_USE for a MAC address that was asked for
 */
export async function newPort({ clock, ids, random }: NetworkParts, tx: Transaction<NetworkTables>, seed: PortSeed, wishes: readonly AddressWish[] | undefined): Promise<Port> {
  const now = clock.now();
  const { macAddress: mac, ...rest } = seed;
  const port: Port = {
    id: ids.uuid(), name: "", description: "", tags: [], revision: 1, createdAt: now, updatedAt: now, adminStateUp: true, status: "DOWN",
    deviceId: "", deviceOwner: "", portSecurityEnabled: true, allowedAddressPairs: [], extraDhcpOpts: [], dnsName: "", hostId: "",
    vnicType: "normal", bindingProfile: {}, securityGroupIds: [], ...rest, macAddress: mac ?? "", fixedIps: [],
  };
  const stored = mac === undefined ? { ...port, macAddress: await freeMac(tx, port.networkId, random) } : port;
  await insertPort(tx, stored);
  return { ...stored, fixedIps: await assignAddresses(tx, stored, wishes, [], random) };
}

/** Three random bytes collide now and then in a large network: look first; the constraint has the last word. */
async function freeMac(tx: Transaction<NetworkTables>, networkId: string, random: () => number): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const mac = makeMac(random);
    const taken = await tx.selectFrom("network_port").select("id").where("network_id", "=", networkId).where("mac_address", "=", mac).executeTakeFirst();
    if (!taken) return mac;
    if (attempt >= MAC_ATTEMPTS) throw E.MAC_ADDRESS_IN_USE({ network: networkId, mac });
  }
}
