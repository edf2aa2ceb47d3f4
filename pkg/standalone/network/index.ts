import type { Express } from "express";
import pLimit from "p-limit";
import type { Clock, Ctx, Ids } from "../../kernel/index.js";
import type { Database } from "../../platform/db/index.js";
import type { Authenticate } from "../shared/auth.js";
import { networkApp } from "./adapters/http/app.js";
import type { NetworkAppOptions } from "./adapters/http/app.js";
import type { NetworkTables } from "./adapters/sql/tables.js";
import type { PortEvent } from "./domain/port-events.js";
import { networkDefaults } from "./ports.js";
import { changeFeed } from "./ops/change-feed.js";
import type { NetworkConfig, NetworkParts } from "./ports.js";

export type { NetworkTables } from "./adapters/sql/tables.js";
export type { PortEvent } from "./domain/port-events.js";
export type { NetworkConfig, NetworkParts } from "./ports.js";
export { seedNetwork } from "./ops/seed-network.js";
export type { SeedNetwork } from "./ops/seed-network.js";

/** A running Network service without its socket. */
export interface NetworkService {
  readonly parts: NetworkParts;
  app(options: NetworkAppOptions): Express;
  /** Answers those who wait for changes: call it before the socket is closed. */
  close(): void;
}

export interface NetworkServiceOptions {
  readonly db: Database<NetworkTables>;
  readonly clock: Clock;
  readonly ids: Ids;
  /** 0..1 */
  readonly random: () => number;
  readonly config?: NetworkConfig;
  readonly authenticate: Authenticate;
  /** Where `network-vif-plugged` and its kin go; nowhere by default. */
  readonly onPortEvents?: (ctx: Ctx, events: readonly PortEvent[]) => Promise<void>;
}

/** Puts the Network service together. */
export function buildNetwork(options: NetworkServiceOptions): NetworkService {
  const {
    db,
    clock,
    ids,
    random,
    config = networkDefaults,
    authenticate,
    onPortEvents = async () => {},
  } = options;
  const parts: NetworkParts = {
    db,
    clock,
    ids,
    random,
    config,
    onPortEvents,
    inTurn: pLimit(1),
    changes: changeFeed(ids.uuid()),
  };
  return {
    parts,
    app: (appOptions) => networkApp(parts, appOptions, authenticate),
    close: () => parts.changes.close(),
  };
}
