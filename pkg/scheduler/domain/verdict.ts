/** A refusal is data: why, in numbers, and how near it was. */
export interface Refusal {
  readonly passed: false;
  /** UPPER_SNAKE; unique within its rule. */
  readonly reason: string;
  /** What was needed and what was there. No names of hosts or other tenants. */
  readonly facts: Readonly<Record<string, string>>;
  /** 0..1: how much was missing, to find the nearest miss; 1 where it cannot be measured. */
  readonly missing: number;
}

export type Verdict = { readonly passed: true } | Refusal;

export const pass: Verdict = Object.freeze({ passed: true });

export const refuse = (
  reason: string,
  facts: Readonly<Record<string, string | number>> = {},
  missing = 1,
): Refusal => ({
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
