import { createHash } from "node:crypto";
import { z } from "zod";
import type { HostTarget } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { mapLimit } from "../../kernel/concurrency.js";
import { KilonovaError } from "../../kernel/errors.js";
import type { Instant } from "../../kernel/time.js";
import type { OperationDeclaration } from "../../model/operation-declaration.js";
import { newestVersion } from "../../model/operation-declaration.js";
import { isLive } from "../../model/operation-states.js";
import { fromTimestamp } from "../../model/wire-time.js";
import { ConductorErrors } from "../errors.js";
import { done, fail, park } from "../engine/kind.js";
import type { CloudCall, Step } from "../engine/kind.js";
import { readNote } from "../engine/outputs.js";
import type { Ports } from "../ports.js";

/** An operation of each of many hosts. */
export interface FanOut<I, C> {
  readonly name: string;
  readonly timeoutMs: number;
  readonly declaration: OperationDeclaration<C>;
  /** Hosts at work at once. */
  readonly atOnce: number;
  hosts(call: CloudCall<I>): readonly HostTarget[];
  input(call: CloudCall<I>): C;
}

type Child = Pick<Operation, "name" | "state" | "error" | "createdAt">;

/** What became of a host: undefined while it is not known; "" when all went well; else a reason. */
type Fate = string | undefined;

/** What a start leaves to the next one: per host how its operation has ended, null while it has not. */
const noteShape = z.object({ ended: z.array(z.string().nullable()) });

/** How long after it was begun a host is looked at again, and from when on as often as that. */
const [SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 10_000];
/** As a share of the time since then. */
const PAUSE_SHARE = 0.25;
/** Then a start gives way: others get its place, and a cancellation is seen. */
const START_MS = 10_000;

/** One start over all hosts. */
interface Round<I, C> {
  readonly ports: Ports;
  readonly init: FanOut<I, C>;
  readonly call: CloudCall<I>;
  readonly endsAt: Instant;
  readonly ended: (string | null)[];
  /** Until the first of the hosts that are at work is looked at again. */
  pauseMs: number;
}

/**
 * Begins an operation on each host, a few at a time, and waits for their ends, looking less often the longer
 * they take. The step's own id is their client token, so that a repeated start finds those that it has begun;
 * those that have ended are not asked for again. Hosts that are down are not waited for. Cancelled, it begins
 * no further ones; those that run end by themselves.
 * @cost for each host at work a look every ten seconds at most, however many hosts there are
 */
export const fanOut = <I, C>(ports: Ports, init: FanOut<I, C>): Step<I, CloudCall<I>> => ({
  name: init.name,
  event: "",
  timeoutMs: init.timeoutMs,
  async run(call) {
    const hosts = init.hosts(call);
    const known = readNote(noteShape, call.note)?.ended ?? [];
    const round: Round<I, C> = {
      ...{ ports, init, call },
      endsAt: ports.clock.now() + BigInt(START_MS) * 1000n,
      ended: hosts.map((_host, index) => known[index] ?? null),
      pauseMs: LONGEST_PAUSE_MS,
    };
    const fates = await mapLimit(hosts, init.atOnce, (host, index) => fateOf(round, host, index));
    if (fates.includes(undefined)) return park("", round.pauseMs, { note: { ended: round.ended } });
    const failed = hosts.flatMap(({ host }, index) =>
      fates[index] === "" ? [] : [{ host, reason: fates[index] }],
    );
    if (failed.length === 0) return done();
    return fail(
      ConductorErrors.HOSTS_FAILED({ failed: String(failed.length), hosts: String(hosts.length) }),
      { details: failed.map(({ host, reason }) => `${host}: ${reason}`).join(", ") },
    );
  },
});

async function fateOf<I, C>(round: Round<I, C>, target: HostTarget, index: number): Promise<Fate> {
  const { ports, init, call, endsAt, ended } = round;
  const { clock } = ports;
  const known = ended[index] ?? undefined;
  if (known !== undefined || clock.now() >= endsAt) return known;
  const { cell, host } = target;
  if (!(await ports.agents.isUp(call.ctx, { cell, host }))) return "HOST_DOWN";
  let begun: Child | undefined;
  try {
    begun = await begin(ports, init, call, target);
  } catch (error) {
    if (error instanceof KilonovaError && REFUSED.has(error.kind)) return error.reason;
    throw error;
  }
  for (;;) {
    if (begun === undefined) return "INTERNAL";
    if (!isLive(begun.state)) return (ended[index] = endOf(begun));
    const leftMs = Number((endsAt - clock.now()) / 1000n);
    const pauseMs = pauseOf(begun, clock.now());
    round.pauseMs = Math.min(round.pauseMs, pauseMs);
    if (leftMs <= 0) return undefined;
    await clock.sleep(Math.min(pauseMs, leftMs), call.ctx.signal);
    begun = await look(ports, call, target, begun);
  }
}

const endOf = ({ state, error }: Child): string =>
  state === OperationState.OPERATION_STATE_SUCCEEDED ? "" : (error?.reason ?? "PREEMPTED");

function pauseOf({ createdAt }: Child, now: Instant): number {
  const sinceMs = createdAt === undefined ? 0 : Number((now - fromTimestamp(createdAt)) / 1000n);
  return Math.round(Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, sinceMs * PAUSE_SHARE)));
}

/** What one host refuses is that host's failure, and no reason to stop. */
const REFUSED: ReadonlySet<string> = new Set(["refused", "unsupported", "missing"]);

async function begin<I, C>(
  ports: Ports,
  { declaration, input }: FanOut<I, C>,
  call: CloudCall<I>,
  { cell, hostId }: HostTarget,
): Promise<Child | undefined> {
  const bytes = Buffer.from(declaration.input.encode(input(call)).finish());
  const { operation } = await ports.children.acceptSubjectOperation(call.ctx, {
    database: cell,
    hostId,
    kind: declaration.kind,
    kindVersion: newestVersion(declaration),
    input: bytes,
    clientToken: `${call.stepId}/${hostId}`,
    method: declaration.kind,
    bodyHash: createHash("sha256").update(bytes).digest(),
    traceparent: call.operation.traceparent,
    ...(call.operation.actor === undefined ? {} : { actor: call.operation.actor }),
  });
  return operation;
}

async function look(
  ports: Ports,
  { ctx }: CloudCall,
  { cell }: HostTarget,
  { name }: Child,
): Promise<Child | undefined> {
  return (await ports.children.getStoredOperation(ctx, { database: cell, name })).operation;
}
