/** What was needed and what was there. No names of hosts or other tenants. */
export type RefusalFacts = Readonly<Record<string, string>>;

/** A refusal is data: why, in numbers, and how near it was. */
export interface Refusal<R extends string = string> {
  readonly passed: false;
  /** UPPER_SNAKE; unique within its rule. */
  readonly reason: R;
  readonly facts: RefusalFacts;
  /** 0..1: how much was missing, to find the nearest miss; 1 where it cannot be measured. */
  readonly missing: number;
}

export type Verdict<R extends string = string> = { readonly passed: true } | Refusal<R>;

export const pass: Verdict<never> = Object.freeze({ passed: true });

export const refuse = <R extends string>(
  reason: R,
  facts: Readonly<Record<string, string | number>> = {},
  missing = 1,
): Refusal<R> => ({
  passed: false,
  reason,
  facts: Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, String(value)])),
  missing,
});

/** A refusal of one host by one rule. */
export interface HostRefusal {
  readonly host: string;
  readonly rule: string;
  readonly refusal: Refusal;
}
