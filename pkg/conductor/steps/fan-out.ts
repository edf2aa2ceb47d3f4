import { createHash } from "node:crypto";
import type { HostTarget } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { mapLimit } from "../../kernel/concurrency.js";
import { KilonovaError } from "../../kernel/errors.js";
import type { OperationDeclaration } from "../../model/operation-declaration.js";
import { newestVersion } from "../../model/operation-declaration.js";
import { isLive } from "../../model/operation-states.js";
import { ConductorErrors } from "../errors.js";
import { done, fail, park } from "../engine/kind.js";
import type { CloudCall, Step } from "../engine/kind.js";
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

type Child = Pick<Operation, "name" | "state" | "error">;

/** What became of a host: undefined while it is not known; "" when all went well; else a reason. */
type Fate = string | undefined;

const LOOK_AGAIN_MS = 500;
/** Then a start gives way: others get its place, and a cancellation is seen. Ten seconds with that pause. */
const LOOKS_PER_START = 20;

/** How often one start may still look at hosts that are not done. */
interface Patience {
  looks: number;
}

/**
 * Begins an operation on each host, a few at a time, and waits for their ends. The step's own id is their
 * client token, so that a repeated start finds those that it has begun. Hosts that are down are not waited
 * for. Cancelled, it begins no further ones; those that run end by themselves.
 */
export const fanOut = <I, C>(ports: Ports, init: FanOut<I, C>): Step<I, CloudCall<I>> => ({
  name: init.name,
  event: "",
  timeoutMs: init.timeoutMs,
  async run(call) {
    const hosts = init.hosts(call);
    const patience: Patience = { looks: LOOKS_PER_START * init.atOnce };
    const fates = await mapLimit(hosts, init.atOnce, (host) => fateOf(ports, init, call, host, patience));
    if (fates.includes(undefined)) return park("", 1);
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

async function fateOf<I, C>(
  ports: Ports,
  init: FanOut<I, C>,
  call: CloudCall<I>,
  target: HostTarget,
  patience: Patience,
): Promise<Fate> {
  if (patience.looks <= 0) return undefined;
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
    if (!isLive(begun.state))
      return begun.state === OperationState.OPERATION_STATE_SUCCEEDED
        ? ""
        : (begun.error?.reason ?? "PREEMPTED");
    if (--patience.looks < 0) return undefined;
    await ports.clock.sleep(LOOK_AGAIN_MS, call.ctx.signal);
    begun = await look(ports, call, target, begun);
  }
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
