import type { WatchEventsResponse } from "../../../gen/kilonova/api/v1/operations_service.js";
import { EventType } from "../../../gen/kilonova/api/v1/operations_service.js";
import { ServerFilter } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { FeedEntry } from "../../../gen/kilonova/cells/v1/feed_service.js";
import { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { toTimestamp } from "../../model/wire-time.js";
import type { Parts } from "../parts.js";
import type { ServerMask } from "../view/server-view.js";
import { hiddenFields, presentServers } from "../view/server-view.js";
import type { FeedFollower, Happening } from "./feed-hub.js";
import { Generations } from "./generations.js";
import { NOWHERE, readHeads } from "./heads.js";
import { linkedAbort } from "./linked-abort.js";
import { StreamRace } from "./race.js";
import type { Position, WatchState } from "./resume-token.js";
import { encodeResumeToken } from "./resume-token.js";
import { GLOBAL } from "../../model/database-names.js";

const decoded = new WeakMap<FeedEntry, Server>();

/** The server as it was: decoded once, however many watches the entry is handed round to. */
function serverOf(entry: FeedEntry): Server {
  const known = decoded.get(entry);
  if (known !== undefined) return known;
  const server = Server.decode(entry.payload);
  decoded.set(entry, server);
  return server;
}

/** What one watcher wants. */
export interface WatchWish {
  readonly binding: string;
  /** "" for all projects. */
  readonly projectId: string;
  /** Empty for all. */
  readonly serverIds: ReadonlySet<string>;
  readonly withOperations: boolean;
  readonly mask: ServerMask;
}

const BY_ID = [{ field: "id", direction: SortDirection.SORT_DIRECTION_ASC }];
const SNAPSHOT_PAGE = 500;
/** How long the cells wait for a global feed that says nothing. */
const HOLD_MS = 500;
/** The token of a watch that knows nothing yet. */
const EXPIRED: WatchState = { positions: new Map([[GLOBAL, NOWHERE]]), recent: new Map() };

/**
 * One watcher's stream of events: the feeds of all databases as one, with a token in every event from which
 * it can go on.
 */
export class EventWatch {
  readonly #parts: Parts;
  readonly #ctx: Ctx;
  readonly #wish: WatchWish;
  readonly #positions = new Map<string, Position>();
  #generations: Generations;
  /** Databases whose feed is waited for until the global one has caught up. */
  #held: string[] = [];
  #globalTarget = 0n;
  readonly #followers = new Map<string, FeedFollower>();
  readonly #hidden: string[];

  constructor(parts: Parts, ctx: Ctx, wish: WatchWish) {
    this.#hidden = hiddenFields(wish.mask);
    this.#parts = parts;
    this.#ctx = ctx;
    this.#wish = wish;
    this.#generations = new Generations(parts.clock);
  }

  /** @param from  where to go on; undefined begins now. Ends when the context aborts */
  async *run(from: WatchState | undefined): AsyncGenerator<WatchEventsResponse, void> {
    if (from !== undefined) this.#generations = new Generations(this.#parts.clock, from.recent);
    const databases = await this.#databases();
    let lost = false;
    if (from === undefined) yield* this.#beginNow(databases);
    else
      for (const [database, position] of from.positions)
        if (databases.includes(database)) this.#positions.set(database, position);
    while (!this.#ctx.signal.aborted) {
      if (lost) yield* this.#reset();
      lost = yield* this.#follow(await this.#databases());
    }
  }

  async #databases(): Promise<string[]> {
    return [GLOBAL, ...(await this.#parts.databases.cells(this.#ctx))];
  }

  async *#beginNow(databases: readonly string[]): AsyncGenerator<WatchEventsResponse, void> {
    for (const database of await this.#readHeads(databases))
      yield this.#event({ type: EventType.EVENT_TYPE_CELL_UNREACHABLE, cell: database });
    yield this.#event({ type: EventType.EVENT_TYPE_BOOKMARK });
  }

  /**
   * Sets the positions to the heads. @returns databases that do not answer: their first answer will be a
   * reset
   */
  async #readHeads(databases: readonly string[]): Promise<readonly string[]> {
    const { positions, unreachable } = await readHeads(this.#parts, this.#ctx, databases);
    for (const [database, position] of positions) this.#positions.set(database, position);
    return unreachable;
  }

  /** Follows until a position is lost. @returns true then; false when the context aborts */
  async *#follow(databases: readonly string[]): AsyncGenerator<WatchEventsResponse, boolean> {
    const stop = linkedAbort(this.#ctx.signal);
    const ctx = { ...this.#ctx, signal: stop.signal, deadlineMs: undefined };
    const race = new StreamRace<Happening>();
    try {
      await this.#hold(databases);
      this.#followers.clear();
      const start = (database: string): void => {
        if (this.#followers.has(database)) return;
        const follower = this.#follower(database);
        this.#followers.set(database, follower);
        race.add(follower.happenings(ctx));
      };
      start(GLOBAL);
      this.#releaseIfCaughtUp(start);
      for (;;) {
        const happening = await this.#nextOf(race, ctx);
        if (this.#ctx.signal.aborted) return false;
        if (happening === undefined) {
          this.#releaseIfCaughtUp(start, true);
          for (const database of await this.#databases()) start(database); // cells may be new
          for (const follower of this.#followers.values()) follower.nudge();
          yield this.#event({ type: EventType.EVENT_TYPE_BOOKMARK });
          continue;
        }
        if (happening.type === "lost") return true;
        yield* this.#tell(happening);
        this.#generations.forget(this.#positions, (database) => this.#parts.hub.knownHead(database));
        if (happening.database === GLOBAL) this.#releaseIfCaughtUp(start, happening.type === "silent");
      }
    } finally {
      stop.release();
      stop.abort();
      await race.close();
    }
  }

  /** @returns undefined when nothing happens for a while */
  async #nextOf(race: StreamRace<Happening>, ctx: Ctx): Promise<Happening | undefined> {
    const timer = linkedAbort(ctx.signal);
    const ms = this.#held.length > 0 ? HOLD_MS : this.#parts.config.bookmarkIntervalMs;
    try {
      return await race.next(this.#parts.clock.sleep(ms, timer.signal));
    } finally {
      timer.release();
      timer.abort();
    }
  }

  #follower(database: string): FeedFollower {
    const { withOperations, projectId } = this.#wish;
    const position = this.#positions.get(database) ?? { incarnation: "", revision: 0n };
    const entityKinds = withOperations ? ["instance", "operation"] : ["instance"];
    const silenceTold = position.incarnation === NOWHERE.incarnation;
    return this.#parts.hub.follow(database, position, { entityKinds, projectId }, silenceTold);
  }

  /**
   * The cells wait until the global feed is read to where it is now: what a server was before it had a cell
   * comes first.
   */
  async #hold(databases: readonly string[]): Promise<void> {
    this.#held = databases.filter((database) => database !== GLOBAL);
    try {
      this.#globalTarget = (await this.#parts.hub.head(this.#ctx, GLOBAL)).revision;
    } catch {
      this.#globalTarget = 0n; // silent: the cells need not wait for it; its pump tells
    }
  }

  #releaseIfCaughtUp(start: (database: string) => void, anyway = false): void {
    if (!anyway && (this.#positions.get(GLOBAL)?.revision ?? 0n) < this.#globalTarget) return;
    for (const database of this.#held) start(database);
    this.#held = [];
  }

  async *#tell(happening: Exclude<Happening, { type: "lost" }>): AsyncGenerator<WatchEventsResponse, void> {
    const { database } = happening;
    if (happening.type === "silent") {
      yield this.#event({ type: EventType.EVENT_TYPE_CELL_UNREACHABLE, cell: database });
      return;
    }
    const { entries, position } = happening;
    for (const entry of entries) {
      const event = await this.#eventOf(entry, database);
      this.#positions.set(database, { incarnation: position.incarnation, revision: entry.revision });
      if (event !== undefined) yield this.#event({ ...event, at: entry.at });
    }
    this.#positions.set(database, position);
  }

  async #eventOf(entry: FeedEntry, database: string): Promise<Partial<WatchEventsResponse> | undefined> {
    const { serverIds, mask } = this.#wish;
    if (entry.eventType === "moved") return undefined;
    if (entry.entityKind === "operation") {
      const operation = Operation.decode(entry.payload);
      // Of hosts and of the cloud: who may see them is a matter of their kinds' rules, not of projects.
      if (operation.serverId === undefined) return undefined;
      if (serverIds.size > 0 && !serverIds.has(operation.serverId)) return undefined;
      return this.#generations.admit(`operation ${entry.entityId}`, entry.generation, database !== GLOBAL)
        ? { type: EventType.EVENT_TYPE_OPERATION_CHANGED, operation }
        : undefined;
    }
    if (serverIds.size > 0 && !serverIds.has(entry.entityId)) return undefined;
    if (!this.#generations.admit(entry.entityId, entry.generation, database !== GLOBAL)) return undefined;
    const [server] = await presentServers(this.#ctx, this.#parts.directory, mask, [
      { server: serverOf(entry), database },
    ]);
    return {
      type:
        entry.eventType === "deleted"
          ? EventType.EVENT_TYPE_SERVER_DELETED
          : EventType.EVENT_TYPE_SERVER_CHANGED,
      server,
    };
  }

  /** Forget everything, then the present state, then go on from where the heads were before it was read. */
  async *#reset(): AsyncGenerator<WatchEventsResponse, void> {
    this.#positions.clear();
    this.#generations = new Generations(this.#parts.clock);
    yield this.#event({ type: EventType.EVENT_TYPE_RESET });
    const databases = await this.#databases();
    for (const database of await this.#readHeads(databases))
      yield this.#event({ type: EventType.EVENT_TYPE_CELL_UNREACHABLE, cell: database });
    for (const database of databases)
      if (this.#positions.get(database)?.incarnation !== NOWHERE.incarnation)
        yield* this.#snapshotOf(database);
    yield this.#event({ type: EventType.EVENT_TYPE_SNAPSHOT_END });
  }

  async *#snapshotOf(database: string): AsyncGenerator<WatchEventsResponse, void> {
    const { projectId, serverIds, mask } = this.#wish;
    const filter = ServerFilter.fromPartial({ ids: [...serverIds], softDeleted: true });
    let after: string[] = [];
    for (let more = true; more;) {
      const page = await this.#parts.instances.listInstances(this.#ctx, {
        database,
        filter,
        projectId,
        sort: BY_ID,
        pageSize: SNAPSHOT_PAGE,
        after,
      });
      const news = page.rows.filter((row) =>
        this.#generations.admit(row.serverId, row.generation, database !== GLOBAL),
      );
      const servers = await presentServers(
        this.#ctx,
        this.#parts.directory,
        mask,
        news.map((row) => ({ server: Server.decode(row.server), database })),
      );
      for (const server of servers) yield this.#event({ type: EventType.EVENT_TYPE_SNAPSHOT, server });
      after = page.rows.at(-1)?.sortValues ?? [];
      more = page.more && after.length > 0;
    }
  }

  /**
   * Inside a snapshot the token is of a watch that knows nothing: whoever breaks off there gets a new
   * snapshot.
   */
  #event(event: Partial<WatchEventsResponse>): WatchEventsResponse {
    const inSnapshot =
      event.type === EventType.EVENT_TYPE_RESET || event.type === EventType.EVENT_TYPE_SNAPSHOT;
    const state: WatchState = inSnapshot
      ? EXPIRED
      : { positions: this.#positions, recent: this.#generations.recent() };
    return {
      type: EventType.EVENT_TYPE_UNSPECIFIED,
      server: undefined,
      operation: undefined,
      hiddenFields: event.server === undefined ? [] : this.#hidden,
      at: toTimestamp(this.#parts.clock.now()),
      ...event,
      resumeToken: encodeResumeToken(this.#parts.tokens, this.#wish.binding, state),
    };
  }
}
