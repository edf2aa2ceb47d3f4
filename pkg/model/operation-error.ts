import { NoValidHost, OperationError } from "../../gen/kilonova/type/v1/operation.js";

/** The fact under which a step tells operators more; the error's own message is for everybody. */
export const OPERATORS_FACT = "details";

/**
 * An operation's error as its owner may see it: without what is for operators, and with the scheduler's
 * refusals as a message of their own. All that shows operations goes through here.
 */
export function ownersError(stored: OperationError | undefined): OperationError | undefined {
  if (stored === undefined) return undefined;
  const facts = new Map([...stored.facts].filter(([key]) => key !== OPERATORS_FACT));
  return { ...stored, facts, noValidHost: noValidHostOf(stored) };
}

function noValidHostOf({ reason, facts }: OperationError): NoValidHost | undefined {
  const text = facts.get("refusals");
  if (reason !== "NO_VALID_HOST" || text === undefined) return undefined;
  return NoValidHost.fromPartial({
    hostsConsidered: Number(facts.get("hosts_considered") ?? 0),
    refusals: refusalsIn(text).map(({ rule, reason: why, hosts, facts: nearest }) => ({
      rule,
      reason: why,
      hosts,
      nearestFacts: new Map(Object.entries(nearest)),
    })),
  });
}

/** How the scheduler writes its refusals into the facts of its error. */
export interface RefusalFact {
  readonly rule: string;
  readonly reason: string;
  readonly hosts: number;
  readonly facts: Readonly<Record<string, string>>;
}

export const refusalsFact = (refusals: readonly RefusalFact[]): string => JSON.stringify(refusals);

function refusalsIn(text: string): readonly RefusalFact[] {
  try {
    const read: unknown = JSON.parse(text);
    return Array.isArray(read) ? (read as readonly RefusalFact[]) : [];
  } catch {
    return []; // Of another writer than `refusalsFact`: the message says the rest.
  }
}
