import { ComputeNode } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type {
  AcceptedKind,
  SourceCommit,
  StoredOperation,
} from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../kernel/ctx.js";
import { mapLimit } from "../../kernel/concurrency.js";
import type { Clock } from "../../kernel/time.js";
import { parseOperationName } from "../../model/operation-name.js";
import { toDuration } from "../../model/wire-time.js";
import type { OperationStore } from "./operation-store.js";

/** An operation, and the fence under which somebody works on it. */
export interface Fenced {
  readonly database: string;
  readonly name: string;
  readonly fence: bigint;
}

/**
 * The last sign of life that the store has had about an operation: it is ours for the whole of the ownership
 * from then on.
 */
export interface Hold {
  readonly name: string;
  /** Monotonic, ms: when the request was sent. */ sinceMs: number;
}

export interface Taken {
  readonly operation: StoredOperation;
  readonly instance: InstanceRecord;
  /** The host that the operation is about; with no more than its id when it is registered no more. */
  readonly host: ComputeNode | undefined;
  readonly hold: Hold;
}

/** What a conductor wants to have; without names, whatever is ready. */
export interface Wanted {
  readonly database: string;
  readonly kinds: readonly AcceptedKind[];
  readonly limit: number;
  readonly names: readonly string[];
}

export interface OwnershipOptions {
  readonly store: OperationStore;
  readonly clock: Clock;
  /** Unique per start of the process. */
  readonly owner: string;
  /** How long an operation stays ours without a renewal. */
  readonly ownershipMs: number;
}

function hostOf({ name }: StoredOperation, hosts: readonly ComputeNode[]): ComputeNode | undefined {
  const subject = parseOperationName(name)?.subject;
  if (subject?.kind !== "host") return undefined;
  return hosts.find(({ id }) => id === subject.id) ?? ComputeNode.fromPartial({ id: subject.id });
}

/**
 * Which operations are this conductor's, and until when. An owner that does not renew counts as dead and
 * others take over; what counts is decided by the fence, so being late is harmless except for effects that no
 * fence holds back: those are preceded by `confirm`.
 */
export class Ownership {
  readonly #options: OwnershipOptions;

  constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  /** Takes what is ready. */
  async take(ctx: Ctx, { database, kinds, limit, names }: Wanted): Promise<Taken[]> {
    const { store, clock, owner } = this.#options;
    const sinceMs = clock.monotonicMs();
    const { operations, instances, hosts } = await store.acquireOperations(ctx, {
      database,
      owner,
      kinds: [...kinds],
      limit,
      ownership: this.#duration,
      names: [...names],
    });
    return operations.flatMap((operation, index) => {
      const instance = instances[index];
      const host = hostOf(operation, hosts);
      return instance === undefined
        ? []
        : [{ operation, instance, host, hold: { name: operation.name, sinceMs } }];
    });
  }

  /**
   * Wakes a copy that was handed over and takes it. @returns what the store has of it; nothing when somebody
   * else has it
   */
  awaken(
    ctx: Ctx,
    database: string,
    name: string,
    source: SourceCommit,
  ): Promise<{ operation: StoredOperation | undefined; instance: InstanceRecord | undefined }> {
    const { store, owner } = this.#options;
    return store.activateHandover(ctx, {
      database,
      name,
      owner,
      ownership: this.#duration,
      committed: source,
    });
  }

  /** Puts off the end of these and of nothing else: what nobody drives has to become free. */
  async renew(ctx: Ctx, databases: readonly string[], holds: readonly Hold[]): Promise<void> {
    const { store, clock, owner } = this.#options;
    const names = holds.map(({ name }) => name);
    const sentMs = clock.monotonicMs();
    await mapLimit(databases, 4, (database) =>
      store.renewOperations(ctx, { database, owner, ownership: this.#duration, names }),
    );
    for (const hold of holds) hold.sinceMs = sentMs;
  }

  /**
   * Makes sure that nobody counts this conductor as dead, before a step does what no fence holds back.
   * @throws FENCE_LOST
   * @cost nothing while the last sign of life is younger than half of the ownership
   */
  async confirm(ctx: Ctx, fenced: Fenced, { sinceMs }: Hold): Promise<void> {
    const { store, clock, ownershipMs } = this.#options;
    if (clock.monotonicMs() - sinceMs < ownershipMs / 2) return;
    await store.confirmOwnership(ctx, { ...fenced, ownership: this.#duration });
  }

  /**
   * Gives one operation back. @returns whether somebody had taken it back before, believing that nothing
   * could come any more
   */
  async leave(ctx: Ctx, fenced: Fenced): Promise<boolean> {
    return (await this.#options.store.leaveOperation(ctx, fenced)).takenBack;
  }

  /** Gives everything back. */
  async release(ctx: Ctx, databases: readonly string[]): Promise<void> {
    for (const database of databases)
      await this.#options.store.releaseOperations(ctx, { database, owner: this.#options.owner });
  }

  get #duration(): ReturnType<typeof toDuration> {
    return toDuration(this.#options.ownershipMs);
  }
}
