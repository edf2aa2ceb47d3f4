import type { RefusalFacts } from "./verdict.js";

/** How a reason is told to the owner of the server: what is the matter with the nearest of the hosts. */
export interface Telling {
  /** Comes after "3 of 5 hosts: ", so it has neither subject nor verb that counts them. */
  readonly text: (facts: RefusalFacts) => string;
  /** Facts that only operators get: what operators wrote, or hosts say, that users cannot read elsewhere. */
  readonly operatorsOnly: readonly string[];
}

export const tells = (
  text: string | ((facts: RefusalFacts) => string),
  operatorsOnly: readonly string[] = [],
): Telling => ({ text: typeof text === "string" ? () => text : text, operatorsOnly });

/** One for each reason that a rule may give: the compiler asks for them. */
export type Tellings<R extends string = string> = Readonly<Record<R, Telling>>;

/** Of all rules, by rule and reason. */
export type Tell = (rule: string, reason: string) => Telling;

/** "1 server", "2 servers". */
export const counted = (number: string | number | undefined, one: string, many = `${one}s`): string =>
  `${number ?? 0} ${String(number) === "1" ? one : many}`;

/** Facts without what only operators get. */
export const ownersFacts = (facts: RefusalFacts, { operatorsOnly }: Telling): RefusalFacts =>
  Object.fromEntries(Object.entries(facts).filter(([key]) => !operatorsOnly.includes(key)));
