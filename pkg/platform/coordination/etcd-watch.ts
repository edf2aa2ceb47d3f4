import type { IWatchResponse } from "etcd3";
import type { Ctx } from "../../kernel/ctx.js";
import { firstOf, whenAborted } from "../../kernel/signals.js";
import type { EtcdCalls } from "./etcd-calls.js";
import { rangeOf, toKeyValue } from "./etcd-calls.js";
import { EventQueue } from "./event-queue.js";
import type { Listing, WatchEvent } from "./ports.js";

const WATCH_BACKLOG = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/**
 * What a watch stream says, in our words. `relist`: the store cannot tell what happened since our revision.
 */
type Signal =
  | { readonly kind: "changes"; readonly revision: number; readonly events: readonly WatchEvent[] }
  | { readonly kind: "relist" }
  | { readonly kind: "broken" };

/**
 * Lists, then watches from the next revision; resumes from the last seen revision after a broken connection,
 * and lists again when that was compacted, when the store is younger than we remember (wiped), or when the
 * reader fell behind.
 */
export async function* watchPrefix(
  ctx: Ctx,
  calls: EtcdCalls,
  list: (ctx: Ctx, prefix: string) => Promise<Listing>,
  prefix: string,
): AsyncGenerator<WatchEvent, void, void> {
  const { signal, leave } = firstOf([ctx.signal, calls.closed]);
  try {
    yield* watchUntil(signal, ctx, calls, list, prefix);
  } finally {
    leave();
  }
}

async function* watchUntil(
  signal: AbortSignal,
  ctx: Ctx,
  calls: EtcdCalls,
  list: (ctx: Ctx, prefix: string) => Promise<Listing>,
  prefix: string,
): AsyncGenerator<WatchEvent, void, void> {
  let revision: number | undefined;
  for (let failures = 0; !signal.aborted;) {
    try {
      if (revision === undefined) {
        const listing = await list(ctx, prefix);
        revision = listing.revision;
        yield { kind: "snapshot", entries: listing.entries };
      }
      for await (const said of follow(calls, prefix, revision, signal)) {
        if (said.kind === "broken") break;
        failures = 0;
        if (said.kind === "relist") {
          revision = undefined;
          break;
        }
        yield* said.events;
        revision = said.revision;
      }
    } catch (error) {
      if (!signal.aborted) ctx.log.debug("coordination.watch.failed", { prefix, error });
    }
    if (revision === undefined && failures === 0) {
      failures++;
      continue;
    }
    await calls.clock
      .sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++), signal)
      .catch(() => {});
  }
}

async function* follow(
  calls: EtcdCalls,
  prefix: string,
  revision: number,
  signal: AbortSignal,
): AsyncGenerator<Signal, void, void> {
  const stream = await calls.client.watchClient.watch({ deadline: Infinity });
  const queue = new EventQueue<Signal>(WATCH_BACKLOG);
  const end = (): void => {
    queue.push({ kind: "broken" });
    queue.end();
  };
  stream.on("data", (response) => {
    const said = interpret(response, revision);
    if (said !== undefined && !queue.push(said)) {
      queue.clear();
      queue.push({ kind: "relist" });
      queue.end();
    }
  });
  stream.on("error", end);
  stream.on("end", end);
  const leave = whenAborted(signal, end);
  try {
    stream.write({
      create_request: { ...rangeOf(prefix), start_revision: String(revision + 1), progress_notify: true },
    });
    for (let said = await queue.next(); said !== undefined; said = await queue.next()) yield said;
  } finally {
    leave();
    stream.cancel();
  }
}

function interpret(response: IWatchResponse, since: number): Signal | undefined {
  if (response.canceled) return { kind: "relist" };
  const storeRevision = Number(response.header.revision);
  if (response.created) return storeRevision < since ? { kind: "relist" } : undefined;
  // While catching up, etcd sends batches under the store's newest revision: only the last event tells how
  // far we are.
  const last = response.events.at(-1);
  return {
    kind: "changes",
    revision: last === undefined ? storeRevision : Number(last.kv.mod_revision),
    events: response.events.map((event) =>
      event.type === "Delete"
        ? { kind: "delete", key: event.kv.key.toString() }
        : { kind: "put", entry: toKeyValue(event.kv) },
    ),
  };
}
