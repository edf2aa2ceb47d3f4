import { E } from "../errors.js";
import { contains, overlaps, parseAddress, parseCidr } from "./addresses.js";
import type { HostRoute } from "./model.js";

/** A subnet that a router reaches directly. */
interface Reached {
  readonly subnetId: string;
  readonly cidr: string;
}

/**
 * A router tells its interfaces apart by their ranges. @throws BAD_REQUEST for a second leg into a subnet, or
 * into an overlapping one
 */
export function checkNewLeg(wish: Reached, legs: readonly Reached[]): void {
  if (legs.some((leg) => leg.subnetId === wish.subnetId))
    throw E.BAD_REQUEST({
      resource: "router",
      problem: `Router already has a port on subnet ${wish.subnetId}`,
    });
  const range = parseCidr(wish.cidr);
  for (const leg of legs) {
    const other = parseCidr(leg.cidr);
    if (range && other && overlaps(range, other)) {
      throw E.BAD_REQUEST({
        resource: "router",
        problem: `Cidr ${wish.cidr} of subnet ${wish.subnetId} overlaps with cidr ${leg.cidr} of subnet ${leg.subnetId}`,
      });
    }
  }
}

/** Whether an address lies in one of the ranges. */
const isWithin = (ip: string, cidrs: readonly string[]): boolean => {
  const address = parseAddress(ip);
  return (
    address !== undefined &&
    cidrs.some((text) => {
      const cidr = parseCidr(text);
      return cidr !== undefined && contains(cidr, address);
    })
  );
};

/**
 * @param cidrs  what the router is connected to. @throws INVALID_ROUTES when a next hop is out of its reach
 */
export function checkNextHops(routes: readonly HostRoute[], cidrs: readonly string[]): void {
  const lost = routes.find((route) => !isWithin(route.nexthop, cidrs));
  if (lost) throw E.INVALID_ROUTES({ problem: `the nexthop ${lost.nexthop} is not connected with router` });
}

/** Whether a route goes out through that range. */
export const leadsThrough = (routes: readonly HostRoute[], cidr: string): boolean =>
  routes.some((route) => isWithin(route.nexthop, [cidr]));
