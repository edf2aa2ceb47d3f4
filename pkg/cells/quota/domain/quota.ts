/** What one server holds. */
export interface Holding {
  readonly cores: number;
  readonly ram: number;
}

/** Counted resources of a project. */
export interface Counted {
  readonly instances: number;
  readonly cores: number;
  readonly ram: number;
}

export const COUNTED = ["instances", "cores", "ram"] as const satisfies readonly (keyof Counted)[];

/** Whether a limit allows a total; -1 is unlimited. */
const allows = (limit: number, total: number): boolean => limit < 0 || total <= limit;

/** A refusal in the words of Nova's message: resources, and numbers in their order. */
export interface QuotaRefusal {
  readonly resources: string;
  readonly requested: string;
  readonly used: string;
  readonly limit: string;
}

/**
 * How many of the servers fit, at least `minCount`, the first ones. Who knows that `minCount` cannot fit need
 * not describe them all: the rest is taken to be like the last.
 * @returns the refusal for `minCount` servers when not even these fit
 */
export function fitQuota(
  holdings: readonly Holding[],
  minCount: number,
  used: Counted,
  limits: Counted,
): number | QuotaRefusal {
  const least = Math.max(1, minCount);
  for (let count = holdings.length; count >= least; count--) {
    const after = add(used, holdings.slice(0, count));
    if (COUNTED.every((resource) => allows(limits[resource], after[resource]))) return count;
  }
  const after = add(used, holdings.slice(0, least), least);
  const beyond = COUNTED.filter((resource) => !allows(limits[resource], after[resource]));
  // None: something was given back since they were found not to fit.
  const over = beyond.length > 0 ? beyond : (["instances"] as const);
  const more = { instances: 0, cores: 0, ram: 0 };
  for (const resource of over) more[resource] = after[resource] - used[resource];
  return refusalOf(over, more, used, limits);
}

/** The refusal of something more, as Nova words it. @param over  what is over its limit; one at least */
export function refusalOf(
  over: readonly (keyof Counted)[],
  more: Counted,
  used: Counted,
  limits: Counted,
): QuotaRefusal {
  const list = (of: Counted): string => over.map((resource) => String(of[resource])).join(", ");
  return { resources: over.join(", "), requested: list(more), used: list(used), limit: list(limits) };
}

/**
 * Use after some servers more. @param count of servers, when more than are described: the rest is like the
 * last
 */
export function add(used: Counted, holdings: readonly Holding[], count = holdings.length): Counted {
  const [last = { cores: 0, ram: 0 }, more] = [holdings.at(-1), Math.max(0, count - holdings.length)];
  return {
    instances: used.instances + holdings.length + more,
    cores: holdings.reduce((sum, { cores }) => sum + cores, used.cores + more * last.cores),
    ram: holdings.reduce((sum, { ram }) => sum + ram, used.ram + more * last.ram),
  };
}
