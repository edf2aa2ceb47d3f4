import type { Aggregate } from "../../../../gen/kilonova/api/v1/aggregates_service.js";
import type { ServerGroup } from "../../../../gen/kilonova/api/v1/server_groups_service.js";
import type { ConsoleToken } from "../../../../gen/kilonova/cells/v1/console_tokens_service.js";
import type { InstanceMapping } from "../../../../gen/kilonova/cells/v1/global_service.js";
import type { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import type { KeyPair } from "../../../../gen/kilonova/type/v1/key_pair.js";
import type { Instant } from "../../../kernel/time.js";
import { GLOBAL } from "../../../model/database-names.js";
import type { Subject } from "../../../model/operation-name.js";
import { CellsErrors } from "../../errors.js";
import { idsOf } from "../../operations/store/owned-operation.js";
import type { QuotaClaim } from "../../quota/domain/claims.js";
import type { Counted, Holding } from "../../quota/domain/quota.js";
import type { StoreDeps } from "../../store/deps.js";
import { TwinDatabase } from "./database.js";

/** A row of `instance_mapping`. */
export interface Mapping extends InstanceMapping {
  readonly userId: string;
}

/** A row of `server_group_member`. */
export interface Member {
  readonly groupId: string;
  readonly position: number;
  readonly joinedAt: Instant;
  cell: string;
  host: string;
}

/** Everything that the twin keeps. */
export class TwinState {
  readonly deps: StoreDeps;
  /** Names of the cells, cell0 included. */
  readonly cells: readonly string[];
  readonly databases: ReadonlyMap<string, TwinDatabase>;
  readonly global: TwinDatabase;
  readonly mappings = new Map<string, Mapping>();
  /** What servers hold of their project's quota. */
  readonly holdings = new Map<string, Holding & { readonly projectId: string }>();
  /** Quota taken for operations that have not ended, by the operation's uuid. */
  readonly claims = new Map<string, { readonly claim: QuotaClaim; readonly extra: Counted }>();
  /** Limits in force for every project, by resource; -1 is unlimited. */
  readonly limits: Map<string, number>;
  readonly flavors = new Map<string, Flavor>();
  readonly keyPairs: KeyPair[] = [];
  readonly aggregates = new Map<string, Aggregate>();
  readonly groups = new Map<string, { readonly group: ServerGroup; readonly createdAt: Instant }>();
  /** By server. */
  readonly members = new Map<string, Member>();
  /** By hash, in hexadecimal. */
  readonly consoleTokens = new Map<string, ConsoleToken>();
  /** Of flavors and aggregates that have changed; 1 for others. */
  readonly generations = new Map<string, number>();

  constructor(deps: StoreDeps, cells: readonly string[], limits: Readonly<Record<string, number>>) {
    this.deps = deps;
    this.cells = cells;
    this.global = new TwinDatabase(GLOBAL, deps.clock);
    this.databases = new Map(
      [this.global, ...cells.map((name) => new TwinDatabase(name, deps.clock))].map((one) => [one.name, one]),
    );
    this.limits = new Map(Object.entries(limits));
  }

  /** @throws UNKNOWN_DATABASE */
  database(name: string): TwinDatabase {
    const found = this.databases.get(name);
    if (found === undefined) throw CellsErrors.UNKNOWN_DATABASE({ database: name });
    return found;
  }

  /** @throws UNKNOWN_DATABASE for the global one too */
  cell(name: string): TwinDatabase {
    if (name === GLOBAL) throw CellsErrors.UNKNOWN_DATABASE({ database: name });
    return this.database(name);
  }

  /** The named database, or with "" the one of the server's mapping. @throws as `Stores.locate` */
  locate(name: string, serverId: string): TwinDatabase {
    if (name !== "") return this.database(name);
    const mapping = this.mappings.get(serverId);
    if (mapping === undefined) throw CellsErrors.SERVER_NOT_FOUND({ server: serverId });
    return this.database(mapping.database);
  }

  /** As `locate`, for an operation's name. */
  locateOperation(name: string, operation: string): TwinDatabase {
    return this.locateSubject(name, idsOf(operation).subject);
  }

  /** As `locate`, also for a host that is deleted. @throws as `Stores.locateSubject` */
  locateSubject(name: string, { kind, id }: Subject): TwinDatabase {
    if (name !== "") return this.database(name);
    if (kind === "server") return this.locate(name, id);
    if (kind === "cloud") return this.global;
    const home = this.cells.map((cell) => this.database(cell)).find((cell) => cell.knowsHost(id));
    if (home === undefined) throw CellsErrors.HOST_NOT_FOUND({ host: id });
    return home;
  }

  /** The limit of a resource; -1 is unlimited. */
  limit(resource: string): number {
    return this.limits.get(resource) ?? -1;
  }

  /** The generation that comes next for something of the catalogue. */
  nextGeneration(what: string): number {
    const next = (this.generations.get(what) ?? 1) + 1;
    this.generations.set(what, next);
    return next;
  }
}
