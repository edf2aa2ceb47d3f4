/** Where a server is or is going to be. */
export interface Place {
  readonly cell: string;
  readonly host: string;
}

const same = (a: Place, b: Place): boolean => a.cell === b.cell && a.host === b.host;

/**
 * Whether a group's policy lets one more member be at a place; soft policies let it be anywhere.
 * @param others  places of the other members that have one
 */
export function mayBeAt(
  policy: string,
  maxServerPerHost: number,
  place: Place,
  others: readonly Place[],
): boolean {
  switch (policy) {
    case "affinity":
      return others.every((other) => same(other, place));
    case "anti-affinity":
      return others.filter((other) => same(other, place)).length < maxServerPerHost;
    default:
      return true;
  }
}
