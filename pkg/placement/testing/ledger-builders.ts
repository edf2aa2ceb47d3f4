import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/errors.js";
import type { Claim, Consumer, ConsumerChange, Holding, TakeOver } from "../domain/model.js";

/** `{ VCPU: 2 }` on one provider. */
export const holding = (providerId: string, amounts: Readonly<Record<string, number>>): Holding => ({
  providerId,
  resources: new Map(Object.entries(amounts)),
});

/** Amounts by provider and class. */
export type Amounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

const holdingsOf = (amounts: Amounts): Holding[] =>
  Object.entries(amounts).map(([provider, mine]) => holding(provider, mine));

export const aConsumer = (
  consumerId: string,
  holdings: readonly Holding[],
  more: Partial<Consumer> = {},
): Consumer => ({
  consumerId,
  projectId: "p",
  userId: "u",
  consumerType: "INSTANCE",
  generation: 1,
  claimOperation: "boot",
  claimFence: 1,
  holdings,
  ...more,
});

export const aChange = (
  consumerId: string,
  amounts: Amounts,
  expected: ConsumerChange["expected"] = "new",
): ConsumerChange => ({
  consumerId,
  projectId: "p",
  userId: "u",
  consumerType: "INSTANCE",
  expected,
  holdings: holdingsOf(amounts),
});

/** The claim of one server, which keeps what it has in some trees. */
export const aClaim = (
  consumerId: string,
  amounts: Amounts,
  expected: ConsumerChange["expected"] = "new",
  keepTrees: readonly string[] = [],
): Claim => ({ claims: [{ ...aChange(consumerId, amounts, expected), keepTrees }], takeOvers: [] });

export const aTakeOver = (
  consumerId: string,
  from: string,
  more: Partial<Pick<TakeOver, "expected" | "expectedFrom" | "consumerType">> = {},
): TakeOver => ({ consumerId, from, consumerType: "", expected: "new", expectedFrom: "any", ...more });

/** The server claims a destination, and its migration takes over what it holds. */
export const aMove = (
  server: string,
  migration: string,
  amounts: Amounts,
  expected: ConsumerChange["expected"],
): Claim => ({
  ...aClaim(server, amounts, expected),
  takeOvers: [aTakeOver(migration, server, { consumerType: "MIGRATION" })],
});

/** Why the work was refused; "" when it was not. */
export function reasonOf(work: () => unknown): string {
  try {
    work();
    return "";
  } catch (error) {
    return error instanceof KilonovaError ? error.reason : assert.fail(String(error));
  }
}
