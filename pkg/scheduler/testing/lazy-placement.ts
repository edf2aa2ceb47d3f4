import { aProvider } from "../../placement/testing/builders.js";
import { fenceOf, orderOf } from "../../placement/domain/claim-order.js";
import { openLedger } from "../../placement/domain/ledger.js";
import type { Ledger } from "../../placement/domain/ledger.js";
import type { ProviderDetails } from "../../placement/index/index.js";
import { aTakeOver } from "../../placement/testing/ledger-builders.js";
import { createPacer } from "../../platform/process/index.js";
import { fakeClock } from "../../testkit/clock.js";
import { rulesOf, schedulerConfig } from "../config.js";
import { selectDestinations } from "../ops/select-destinations.js";
import type { Liveness, Placement } from "../ports.js";
import { Fleet } from "../views/fleet.js";
import { aRequest } from "./builders.js";

/**
 * A placement that decides like the real one, and whose feed is handed out only when the test says so.
 * @param capacities  CPUs of the hosts h0, h1, …
 * @param sharedGib  storage that all hosts share; 0 for none
 */
export function lazyPlacement(capacities: readonly number[], sharedGib = 0) {
  const ids = capacities.map((_, number) => `h${number}`);
  const aggregates = sharedGib === 0 ? [] : ["shared"];
  const providers = (usedOn: (id: string) => number): ProviderDetails[] => [
    ...ids.map((id, number) =>
      aProvider(id, { VCPU: [capacities[number] ?? 0, usedOn(id)] }, { aggregates }),
    ),
    ...aggregates.map((aggregate) =>
      aProvider(
        "disks",
        { DISK_GB: [sharedGib, usedOn("disks")] },
        { aggregates: [aggregate], traits: ["MISC_SHARES_VIA_AGGREGATE"] },
      ),
    ),
  ];
  const ledger: Ledger = openLedger({ consumers: [], tombstones: [], providers: providers(() => 0) });
  let revision = 1,
    claims = 0;
  const usedOn = (id: string): number =>
    ledger.diff().usages.find(({ providerId }) => providerId === id)?.used ?? 0;
  const placement: Placement = {
    claim: async (_ctx, { serverId, projectId, userId, operation, fence, attempt, ...request }) => {
      claims++;
      const { holdings, expected, keepTrees, migrationId } = request;
      const owner = { consumerId: serverId, projectId, userId, consumerType: "INSTANCE" };
      const generations = ledger.claim(
        {
          claims: [{ ...owner, expected, holdings, keepTrees }],
          takeOvers: migrationId === "" ? [] : [aTakeOver(migrationId, serverId)],
        },
        { operation, fence: orderOf(fence, attempt) },
      );
      return {
        generation: generations.get(serverId) ?? 0,
        migrationGeneration: generations.get(migrationId) ?? 0,
        revision: ++revision,
      };
    },
    held: async (_ctx, serverId) => {
      const held = ledger.diff().consumers.find(({ consumerId }) => consumerId === serverId);
      return (
        held && {
          generation: held.generation,
          operation: held.claimOperation,
          fence: fenceOf(held.claimFence),
          holdings: held.holdings,
        }
      );
    },
    changes: async function* () {
      yield* [];
    },
  };
  return {
    placement,
    usedOn,
    ledger,
    claims: () => claims,
    feed: (fleet: Fleet): void =>
      fleet.applyPlacement({
        revision,
        reset: false,
        deletedProviderIds: [],
        providers: [],
        usedProviders: providers(usedOn),
      }),
    /** @param cells  by host; the first where there is none */
    fleet: (
      liveness: Liveness = { isUp: () => true, settled: () => true },
      cells: readonly string[] = ["cell1"],
    ): Fleet => {
      const fleet = new Fleet(liveness, fakeClock(), 60_000);
      fleet.applyPlacement({
        revision,
        reset: true,
        deletedProviderIds: [],
        usedProviders: [],
        providers: providers(usedOn),
      });
      const idsOf = (cell: string): string[] => ids.filter((_, at) => (cells[at] ?? cells[0]) === cell);
      for (const cell of new Set(cells))
        fleet.applySnapshot(cell, {
          services: idsOf(cell).map((host) => ({
            id: host,
            service: {
              host,
              availabilityZone: "nova",
              address: "",
              disabled: false,
              disabledReason: "",
              forcedDown: false,
            },
          })),
          nodes: idsOf(cell).map((id) => ({
            id,
            node: {
              host: id,
              node: id,
              computeNodeId: id,
              hostIp: "",
              hypervisorType: "",
              hypervisorVersion: 0,
              supported: [],
              capabilities: {},
            },
          })),
        });
      return fleet;
    },
  };
}

const config = schedulerConfig.parse({});
/** The operation over these views and this placement, with the default rules. */
export const selectOn = (fleet: Fleet, placement: Placement) =>
  selectDestinations({
    fleet,
    placement,
    rules: rulesOf(config),
    options: config,
    pacer: createPacer(),
    refresh: async () => {},
    assertReady: () => {},
  });
/** A boot of one server. */
export const wants = (serverId: string, vcpus: number) => ({
  spec: aRequest({ serverId, vcpus, memoryMib: 0, image: undefined }),
  operation: `boot/${serverId}`,
  fence: 1,
  attempt: 0,
  migrationId: "",
  alternates: 1,
});
