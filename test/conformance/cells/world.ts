import type { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { OperationCatalogue, catalogue } from "../../../pkg/model/operation-catalogue.js";
import { MigrationEnd, MigrationKind } from "../../../gen/kilonova/cells/v1/server_records.js";
import {
  anyOperation,
  declareSubjectOperation,
  theServer,
} from "../../../pkg/model/operation-declaration.js";
import { aDeclaration, aForm, subjectDeclaration } from "../../../pkg/model/testing/a-declaration.js";
import type { Channel } from "../../../pkg/platform/rpc/index.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";

/** One cells service under test, with one cell, "cell1". Scenarios keep apart by their projects and hosts. */
export interface CellsWorld {
  /** A channel as another service has it. */
  as(service: string, host?: string): Channel;
  /** Puts a record into a database, past all rules. */
  put(database: string, server: Server, ports?: readonly InstancePort[]): Promise<void>;
  /** Forgets all that a feed has so far. */
  compact(database: string): Promise<void>;
  /** Gives a feed another life. */
  renew(database: string): Promise<void>;
  /** Hosts whose services hold their lease. */
  readonly alive: Set<string>;
  close(): Promise<void>;
}

/** How each suite configures its service. */
export const LIMITS = {
  maxInstances: 4,
  maxCores: 8,
  maxRamMib: 4096,
  maxKeyPairs: 3,
  maxServerGroups: 2,
  maxServerGroupMembers: 2,
  reclaimInstanceIntervalS: 3600,
} as const;

const waiting = { ...aForm, vmStates: [VmState.VM_STATE_ACTIVE], contention: "waits" } as const;

/** Kinds of this build, and some in lanes beside "life", that move, take quota or are about no server. */
export const KINDS = new OperationCatalogue([
  ...catalogue.all,
  anyOperation(aDeclaration("test.life")),
  anyOperation(
    aDeclaration("test.attach", {
      lane: "volumes",
      forms: { plain: waiting, preempting: { ...waiting, contention: "pre-empts" } },
      formOf: (input) => (input === "pre-empt" ? "preempting" : "plain"),
    }),
  ),
  anyOperation(aDeclaration("test.plug", { lane: "ports", forms: { plain: aForm }, formOf: () => "plain" })),
  anyOperation(
    aDeclaration("test.news", {
      lane: "ports",
      forms: { plain: { ...aForm, contention: "waits", lock: "ignores" } },
      formOf: () => "plain",
    }),
  ),
  anyOperation(
    aDeclaration("test.move", {
      migration: ({ server }) => ({
        kind: MigrationKind.MIGRATION_KIND_RESIZE,
        oldFlavor: server.flavor,
        target: MigrationEnd.fromPartial({ host: "there", node: "there", cell: "cell1" }),
      }),
      metadata: (reason) => ({ $case: "lockServer", value: { reason } }),
      result: theServer,
    }),
  ),
  anyOperation(
    aDeclaration("test.haul", {
      lane: "volumes",
      forms: { plain: waiting },
      formOf: () => "plain",
      migration: () => ({ kind: MigrationKind.MIGRATION_KIND_LIVE_MIGRATION }),
    }),
  ),
  anyOperation(
    aDeclaration("test.grow", { quota: ({ input }) => ({ instances: 1, cores: Number(input), ram: 64 }) }),
  ),
  anyOperation(
    declareSubjectOperation(
      subjectDeclaration("test.fill", "host", { contention: "waits", capability: "pause" }),
    ),
  ),
  anyOperation(declareSubjectOperation(subjectDeclaration("test.sole", "host", { lane: "volumes" }))),
  anyOperation(
    declareSubjectOperation(subjectDeclaration("test.sweep", "cloud", { contention: "pre-empts" })),
  ),
]);
