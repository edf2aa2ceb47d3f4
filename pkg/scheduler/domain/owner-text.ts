import type { Explanation } from "./explanation.js";
import { ownersFacts } from "./telling.js";
import type { Tell } from "./telling.js";

/** What Nova says, and all that it says. */
export const NO_HOST = "No valid host was found. There are not enough hosts available.";
/** The longest message that a fault of the Compute API may have. */
const MAX_MESSAGE = 255;
/** Names in flavors and images may be as long as they like; more than this of one reason helps nobody. */
const MAX_CLAUSE = 120;

const SEPARATOR = "; ";

/**
 * Why no host will do, for the owner of the server: `3 of 5 hosts: not enough memory (2048 MiB needed,
 * nearest has 512 free); 2 of 5 hosts: disabled by the operator`. The reason that refused most comes first.
 */
export function ownerSummary({ hostsConsidered, refusals }: Explanation, tell: Tell): string {
  if (hostsConsidered === 0) return "there are no hosts";
  const total = `${hostsConsidered} ${hostsConsidered === 1 ? "host" : "hosts"}`;
  return [...refusals]
    .sort((a, b) => b.hosts - a.hosts)
    .map(({ rule, reason, hosts, nearestFacts }) => {
      const telling = tell(rule, reason);
      const text = telling.text(ownersFacts(nearestFacts, telling)).replaceAll(";", ",");
      return shortened(`${hosts} of ${total}: ${text}`, MAX_CLAUSE);
    })
    .join(SEPARATOR);
}

/** The message of the fault: Nova's sentence, and as many reasons as there is room for. */
export function ownerMessage(summary: string): string {
  const clauses = summary.split(SEPARATOR);
  for (let kept = clauses.length; kept > 0; kept--) {
    const left = clauses.length - kept;
    const rest = left === 0 ? "" : `; ${left} more ${left === 1 ? "reason" : "reasons"}`;
    const message = `${NO_HOST} ${sentence(clauses.slice(0, kept).join(SEPARATOR))}${rest}.`;
    if (message.length <= MAX_MESSAGE) return message;
  }
  return NO_HOST;
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const shortened = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
