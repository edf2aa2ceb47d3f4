import type { Port } from "./model.js";

/** What Compute is told about ports of its servers; the names are those of `os-server-external-events`. */
export interface PortEvent {
  readonly name: "network-vif-plugged" | "network-vif-unplugged" | "network-changed" | "network-vif-deleted";
  readonly serverUuid: string;
  readonly portId: string;
  /** The host that the port is, or was, bound to. */
  readonly host: string;
}

/**
 * What happened to a port, from the states before and after a change.
 * @param before  undefined for a new port
 * @param after   undefined for a deleted one
 */
export function portEvents(before: Port | undefined, after: Port | undefined): PortEvent[] {
  const of = (name: PortEvent["name"], port: Port): PortEvent[] =>
    port.deviceId !== "" && port.deviceOwner.startsWith("compute:")
      ? [{ name, serverUuid: port.deviceId, portId: port.id, host: port.hostId }]
      : [];
  if (!after) return before ? of("network-vif-deleted", before) : [];
  const plugged = (port: Port | undefined): boolean => port?.status === "ACTIVE";
  const moved = before !== undefined && before.hostId !== after.hostId;
  const events: PortEvent[] = [];
  if (before && plugged(before) && (!plugged(after) || after.hostId === ""))
    events.push(...of("network-vif-unplugged", before));
  if (plugged(after) && (!plugged(before) || moved)) events.push(...of("network-vif-plugged", after));
  if (before && JSON.stringify(before.fixedIps) !== JSON.stringify(after.fixedIps))
    events.push(...of("network-changed", after));
  return events;
}
