/** What a token is scoped to. */
export type Scope = "project" | "system" | "domain";

/** A rule as it is before an operator overrides it. */
export interface RuleDefault {
  /** In the language of oslo.policy; see `parse.ts`. */
  readonly check: string;
  /** Scopes of tokens that may ask; empty for any. */
  readonly scopes: readonly Scope[];
  /** The REST calls that ask it; doubles as its description. */
  readonly guards: readonly string[];
}
