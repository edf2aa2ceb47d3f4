import assert from "node:assert/strict";
import { PlacementServiceDefinition } from "../../../gen/kilonova/placement/v1/placement_service.js";
import { KilonovaError, silentLogger } from "../../kernel/index.js";
import type { Database } from "../../platform/db/index.js";
import { systemClock } from "../../platform/process/clock.js";
import { systemIds } from "../../platform/process/ids.js";
import { LocalNetwork } from "../../platform/rpc/index.js";
import type { Client } from "../../platform/rpc/index.js";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import { Metrics, createTracer } from "../../platform/telemetry/index.js";
import { testDatabase } from "../../testkit/postgres.js";
import type { TestDatabase } from "../../testkit/postgres.js";
import { buildPlacement, placementConfig, placementMigrations } from "../index.js";
import type { PlacementTables } from "../index.js";

export type PlacementClient = Client<typeof PlacementServiceDefinition>;

/** A placement service over a fresh schema of a real PostgreSQL, reached as another service would. */
export interface TestPlacement {
  readonly network: LocalNetwork;
  readonly database: Database<PlacementTables>;
  /** As whom to call: `conductor`, `gateway`, … */
  as(service: string): PlacementClient;
  /** Another replica of the service over the same data. */
  replica(): TestPlacement;
  close(): Promise<void>;
}

export async function testPlacement(): Promise<TestPlacement> {
  return onDatabase(await testDatabase(placementMigrations));
}

const testRpcOptions = () => ({
  log: silentLogger,
  tracer: createTracer({
    service: "test",
    sampleRatio: 0,
    exporter: new InMemorySpanExporter(),
    immediate: true,
  }),
  metrics: new Metrics(),
});

function onDatabase(test: TestDatabase): TestPlacement {
  const database = test.open<PlacementTables>();
  const service = buildPlacement({
    database,
    clock: systemClock,
    ids: systemIds,
    log: silentLogger,
    config: placementConfig.parse({ watchPollMs: 20 }),
  });
  const network = new LocalNetwork(testRpcOptions());
  network.listen("placement", service.bindings);
  return {
    network,
    database,
    as: (name) =>
      network.connect("placement", { service: name, host: "" }).client(PlacementServiceDefinition),
    replica: () => onDatabase(test),
    close: () => service.close(),
  };
}

/** A host's report with round numbers; shows only what the case cares for. */
export function aHost(init: {
  readonly id: string;
  readonly name?: string;
  readonly vcpus?: number;
  readonly memoryMib?: number;
  readonly diskGib?: number;
  readonly ratio?: number;
  readonly traits?: readonly string[];
}) {
  const inventory = (resourceClass: string, total: number, allocationRatio = 1) => ({
    resourceClass,
    total: BigInt(total),
    reserved: 0n,
    minUnit: 1n,
    maxUnit: BigInt(total),
    stepSize: 1n,
    allocationRatio,
  });
  return {
    id: init.id,
    name: init.name ?? `host-${init.id.slice(0, 8)}`,
    traits: [...(init.traits ?? [])],
    inventories: [
      inventory("VCPU", init.vcpus ?? 8, init.ratio ?? 1),
      inventory("MEMORY_MB", init.memoryMib ?? 16_384),
      inventory("DISK_GB", init.diskGib ?? 100),
    ],
  };
}

/** What a small server claims on one provider. */
export const aClaim = (
  consumerId: string,
  providerId: string,
  amounts: Readonly<Record<string, number>> = { VCPU: 1, MEMORY_MB: 512 },
) => ({
  consumerId,
  projectId: "p1",
  userId: "u1",
  consumerType: "INSTANCE",
  allocations: [
    {
      providerId,
      resources: new Map(Object.entries(amounts).map(([name, amount]) => [name, BigInt(amount)])),
    },
  ],
});

/** The error a call must end in. */
export async function refusal(promise: Promise<unknown>): Promise<KilonovaError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof KilonovaError, `expected a refusal, got ${String(outcome)}`);
  return outcome;
}
