import type { InstanceMapping } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { InstancesServiceDefinition } from "../../../gen/kilonova/cells/v1/instances_service.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError, parseUuid } from "../../kernel/index.js";
import { isVolumeBacked } from "../../model/boot-devices.js";
import type { Target } from "../../policy/index.js";
import type { Client } from "../../platform/rpc/index.js";
import { ApiErrors } from "../errors.js";
import type { CellGuard } from "./guard.js";
import type { About, Subject } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import type { Mappings } from "./mappings.js";

/** A server's record and where it was found. */
export interface LoadedServer {
  readonly record: InstanceRecord;
  readonly server: Server;
  readonly database: string;
}

/** How to load. */
export interface LoadOptions {
  readonly withUserData?: boolean;
  readonly withDeleted?: boolean;
}

/** Finds servers wherever they are. Other projects' servers do not exist, except for administrators. */
export class Servers {
  readonly #instances: Client<InstancesServiceDefinition>;
  readonly #mappings: Mappings;
  readonly #guard: CellGuard;

  constructor(instances: Client<InstancesServiceDefinition>, mappings: Mappings, guard: CellGuard) {
    this.#instances = instances;
    this.#mappings = mappings;
    this.#guard = guard;
  }

  /** @throws SERVER_NOT_FOUND; unavailable when its cell is silent */
  async load(ctx: Call, serverId: string, options: LoadOptions = {}): Promise<LoadedServer> {
    const { withUserData = false, withDeleted = false } = options;
    const projectId = this.scope(ctx);
    return this.at(ctx, serverId, async (inner, database, id) => {
      const { instance: record } = await this.#instances.getInstance(inner, {
        database,
        serverId: id,
        projectId,
        withUserData,
        withDeleted,
      });
      const server = record?.server;
      if (record === undefined || server === undefined)
        throw ApiErrors.SERVER_NOT_FOUND({ server: serverId });
      return { record, server, database };
    });
  }

  /**
   * What calls are about that name a server. With a client token also a deleted one: the call may be the
   * repetition of an earlier one, which was the last that the server saw; whoever stores it knows.
   * @throws SERVER_NOT_FOUND
   */
  about(
    options: LoadOptions = {},
  ): About<{ readonly serverId: string; readonly clientToken?: string }, LoadedServer & Subject> {
    return async (ctx, { serverId, clientToken = "" }) => {
      const loaded = await this.load(ctx, serverId, { withDeleted: clientToken !== "", ...options });
      return { ...loaded, owner: ownerOf(loaded.server) };
    };
  }

  /**
   * Runs `fn` against the database that holds a server; once more when it has moved meanwhile.
   * @throws SERVER_NOT_FOUND when it is nowhere, or of a project that the caller does not see
   */
  async at<T>(
    ctx: Call,
    serverId: string,
    fn: (ctx: Ctx, database: string, serverId: string) => Promise<T>,
  ): Promise<T> {
    const id = parseUuid(serverId);
    const mapping = id === undefined ? undefined : await this.#mappings.find(ctx, id);
    if (id === undefined || !this.sees(ctx, mapping)) throw ApiErrors.SERVER_NOT_FOUND({ server: serverId });
    try {
      return await this.#guard.call(ctx, mapping.database, (inner) => fn(inner, mapping.database, id));
    } catch (error) {
      if (!isElsewhere(error)) throw error;
      const fresh = await this.#mappings.refresh(ctx, id);
      if (!this.sees(ctx, fresh) || (fresh.database === mapping.database && !isMoved(error)))
        throw ApiErrors.SERVER_NOT_FOUND({ server: serverId }, { cause: error });
      return this.#again(ctx, fresh, id, serverId, fn);
    }
  }

  /** What the mapping alone tells; for servers in a silent cell. @throws SERVER_NOT_FOUND */
  async mappingOf(ctx: Call, serverId: string): Promise<InstanceMapping> {
    const mapping = await this.#mappings.find(ctx, parseUuid(serverId) ?? serverId);
    if (!this.sees(ctx, mapping)) throw ApiErrors.SERVER_NOT_FOUND({ server: serverId });
    return mapping;
  }

  /** The project whose servers the caller can address: "" for all. */
  scope(ctx: Call): string {
    return ctx.rights.isAdmin ? "" : ownProject(ctx);
  }

  sees(ctx: Call, mapping: InstanceMapping | undefined): mapping is InstanceMapping {
    if (mapping === undefined) return false;
    const projectId = this.scope(ctx);
    return projectId === "" || mapping.projectId === projectId;
  }

  async #again<T>(
    ctx: Call,
    mapping: InstanceMapping,
    id: string,
    asked: string,
    fn: (ctx: Ctx, database: string, serverId: string) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#guard.call(ctx, mapping.database, (inner) => fn(inner, mapping.database, id));
    } catch (error) {
      if (isElsewhere(error)) throw ApiErrors.SERVER_NOT_FOUND({ server: asked }, { cause: error });
      throw error;
    }
  }
}

/**
 * The caller's project for queries in which "" would mean all: a token without project gets one that nobody
 * has.
 */
export const ownProject = (ctx: Ctx): string => ctx.actor.projectId || "(none)";

/** Whether a server boots from a volume, also when an image has brought it along. */
export const isOnVolume = ({ server, record }: Pick<LoadedServer, "server" | "record">): boolean =>
  (server.image?.id ?? "") === "" || (record.spec !== undefined && isVolumeBacked(record.spec));

/** What rules about a server are asked about. */
export const ownerOf = (server: Pick<Server, "projectId" | "userId">): Target => ({
  project_id: server.projectId,
  user_id: server.userId,
});

const isMoved = (error: unknown): boolean =>
  error instanceof KilonovaError && error.reason === "SERVER_MOVED";
const isElsewhere = (error: unknown): boolean =>
  isMoved(error) || (error instanceof KilonovaError && error.reason === "SERVER_NOT_FOUND");
