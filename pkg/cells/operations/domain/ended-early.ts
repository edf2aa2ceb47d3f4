import { HeldQuota } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { OperationError } from "../../../../gen/kilonova/type/v1/operation.js";
import { KilonovaError } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { encoded } from "../../domain/bytes.js";
import { heldByRecord } from "../../quota/domain/claims.js";
import { LIFE } from "./lanes.js";
import type { LanePlace } from "./lanes.js";
import { withOtherOperationFields } from "./operation-rows.js";
import type { OperationRow } from "./rows.js";

/**
 * A pre-empted operation's row. Its fence ends here: the number that the next acquisition mints is higher
 * than any it had. It stays its owner's until that one has come to the end of its step: what no fence holds
 * back may still be under way.
 * @param successor  name of the operation that takes over
 * @param server     its server, when it has one
 */
const preempted = (
  victim: OperationRow,
  successor: string,
  now: Instant,
  server: Server | undefined,
): OperationRow => ({
  ...victim,
  state: "preempted",
  other_fields: withOtherOperationFields(victim.other_fields, { successor, ...heldWhenCut(victim, server) }),
  ready_at: victim.owner === "" ? null : victim.ready_at,
  secrets: null,
  generation: victim.generation + 1,
  updated_at: now,
});

/**
 * All that end when an operation takes its place.
 * @param successor  its name
 * @param server     what it is about, before it changes; undefined when that is no server
 */
export const allPreempted = (
  { victim, others, halted = [] }: Omit<LanePlace, "turn">,
  successor: string,
  now: Instant,
  server?: Server,
): OperationRow[] =>
  [...(victim === undefined ? [] : [victim]), ...others, ...halted].map((one) =>
    preempted(one, successor, now, server),
  );

/** What is told of quota where an operation was ended from outside: see `StoredOperation.held`. */
export function heldWhenCut(
  { lane }: Pick<OperationRow, "lane">,
  server: Server | undefined,
): Partial<Pick<StoredOperation, "held">> {
  if (lane !== LIFE || server === undefined) return {};
  const { instances, cores, ram } = heldByRecord(server);
  return { held: HeldQuota.fromPartial({ instances, cores, memoryMib: ram }) };
}

/** One that waited, ended before its turn. */
export const endedWaiting = (
  row: OperationRow,
  state: "failed" | "cancelled",
  { reason, domain, message, facts }: KilonovaError,
  now: Instant,
): OperationRow => ({
  ...row,
  state,
  ready_at: null,
  secrets: null,
  error: encoded(
    OperationError,
    OperationError.fromPartial({ reason, domain, message, facts: new Map(Object.entries(facts)) }),
  ),
  generation: row.generation + 1,
  updated_at: now,
});

/** One that waited, and whose turn it is now. */
export const begun = (row: OperationRow, now: Instant): OperationRow => ({
  ...row,
  turn: 0,
  waiting_for: "",
  ready_at: now,
  generation: row.generation + 1,
  updated_at: now,
});

const GIVEN_UP: ReadonlySet<string> = new Set(["refused", "unsupported", "missing"]);

/** Whether an operation that waited ends because of this. */
export const isGivenUp = (error: unknown): error is KilonovaError =>
  error instanceof KilonovaError && GIVEN_UP.has(error.kind);
