import assert from "node:assert/strict";
import { aProvider, chance } from "../../placement/testing/builders.js";
import { createPacer } from "../../platform/process/index.js";
import { fakeClock } from "../../testkit/clock.js";
import { rulesOf, schedulerConfig } from "../config.js";
import { hostPrefilters } from "../domain/host-prefilters.js";
import { decide, judgeRebuild } from "../ops/decide.js";
import type { NodeFacts, ServiceFacts } from "../ports.js";
import { aRequest, aSource } from "../testing/builders.js";
import { Fleet } from "./fleet.js";

const SIZE = { VCPU: 8, MEMORY_MB: 8192, DISK_GB: 100 };
const zoneOf = (at: number): string => `zone-${at % 4}`;
const name = (at: number): string => `Host-${at}`;

/** A fleet that counts how often what it knows of a host, or of its provider, is looked at. */
function countedFleet(size: number) {
  let looks = 0;
  const counted = <T extends object>(facts: T): T =>
    new Proxy(facts, {
      get: (target, key, self) => {
        looks++;
        return Reflect.get(target, key, self);
      },
    });
  const service = (at: number, more: Partial<ServiceFacts> = {}): ServiceFacts =>
    counted({
      host: name(at),
      availabilityZone: zoneOf(at),
      address: "",
      disabled: false,
      disabledReason: "",
      forcedDown: false,
      ...more,
    });
  const node = (at: number, more: Partial<NodeFacts> = {}): NodeFacts =>
    counted({
      host: name(at),
      node: `node-${at}`,
      computeNodeId: `id-${at}`,
      hostIp: "",
      hypervisorType: "QEMU",
      hypervisorVersion: 1,
      supported: [],
      capabilities: {},
      ...more,
    });
  const fleet = new Fleet({ isUp: () => true, settled: () => true }, fakeClock(), 60_000);
  const numbers = Array.from({ length: size }, (_, at) => at);
  fleet.applySnapshot("cell1", {
    services: numbers.map((at) => ({ id: `s-${at}`, service: service(at) })),
    nodes: numbers.map((at) => ({ id: `id-${at}`, node: node(at) })),
  });
  fleet.applyPlacement({
    revision: 1,
    reset: true,
    deletedProviderIds: [],
    usedProviders: [],
    providers: numbers.map((at) => aProvider(`id-${at}`, SIZE)),
  });
  const slotOf = fleet.index.slotOf.bind(fleet.index);
  fleet.index.slotOf = (id) => {
    looks++;
    return slotOf(id);
  };
  // Who walks through all hosts has looked at each.
  const hosts = fleet.hosts();
  for (const walk of ["keys", "values", "entries", "forEach", Symbol.iterator] as const) {
    const walking = hosts[walk].bind(hosts) as () => unknown;
    Object.assign(hosts, {
      [walk]: (...given: []) => {
        looks += hosts.size;
        return walking(...given);
      },
    });
  }
  return {
    fleet,
    service,
    node,
    /** How much `work` looks at. */
    looks: (work: () => unknown): number => {
      looks = 0;
      work();
      return looks;
    },
  };
}

const options = schedulerConfig.parse({ maxPlacementResults: 10 });
const rules = rulesOf(options);
const pace = () => ({ pacer: createPacer({ firstMs: 60_000 }), signal: new AbortController().signal });

describe("the scheduler's map of hosts", () => {
  /** What may be asked of a fleet between two decisions, and the work that each takes. */
  const workOf = (size: number): Record<string, number> => {
    const { fleet, service, node, looks } = countedFleet(size);
    const ask = (request: Parameters<typeof aRequest>[0]) => () => {
      const choices = decide(fleet, aRequest({ image: undefined, ...request }), rules, options, pace());
      assert.ok(!(choices instanceof Promise) && choices.length > 0);
    };
    const change = (id: string, more: Partial<ServiceFacts>) => () =>
      fleet.applyChange("cell1", { kind: "service", id: `s-${id}`, service: service(Number(id), more) });
    const lists = fleet.hosts();
    const before = lists.get("id-3");
    const work = {
      "a service changes": looks(change("7", { disabled: true })),
      "a service moves to another zone": looks(change("7", { availabilityZone: "zone-1" })),
      "a node changes": looks(() =>
        fleet.applyChange("cell1", { kind: "node", id: "id-7", node: node(7, { hypervisorVersion: 2 }) }),
      ),
      "a host goes": looks(() => {
        fleet.applyChange("cell1", { kind: "node", id: "id-9", node: undefined });
        fleet.applyChange("cell1", { kind: "service", id: "s-9", service: undefined });
      }),
      "a host comes": looks(() => {
        fleet.applyChange("cell1", { kind: "node", id: "id-9", node: node(9) });
        fleet.applyChange("cell1", { kind: "service", id: "s-9", service: service(9) });
      }),
      "a provider changes": looks(() =>
        fleet.applyPlacement({
          revision: 2,
          reset: false,
          deletedProviderIds: ["id-5"],
          usedProviders: [],
          providers: [aProvider("id-6", SIZE), aProvider("id-5", SIZE)],
        }),
      ),
      "a request for any host": looks(ask({})),
      "a request for a zone": looks(ask({ availabilityZone: "zone-1" })),
      "a request for one host": looks(ask({ forcedHost: name(8), forcedNode: "node-8" })),
      "a request after two refusals": looks(ask({ excludedHosts: new Set(["host-1", "host-2"]) })),
      "a rebuild": looks(() => judgeRebuild(fleet, aRequest({ forcedHost: name(8) }), rules)),
    };
    assert.equal(fleet.hosts(), lists, "one map for its life");
    assert.equal(fleet.hosts().get("id-3"), before, "others are not made anew");
    assert.equal(fleet.hosts().size, size);
    return work;
  };

  it("costs the same for one host, whether there are a hundred or two thousand", () => {
    const [few, many] = [workOf(100), workOf(2_000)];
    assert.deepEqual(many, few);
    for (const [what, looks] of Object.entries(many))
      assert.ok(looks > 0 && looks < 500, `${what}: ${looks}`);
  });

  it("finds by their names just the hosts that the rules pass", () => {
    const { fleet, service, node } = countedFleet(40);
    const random = chance(7);
    const any = <T>(...of: T[]): T => of[random.below(of.length)] ?? assert.fail();
    for (let step = 0; step < 300; step++) {
      const at = random.below(40);
      const gone = random.below(5) === 0;
      const more = { availabilityZone: zoneOf(random.below(40)) };
      const kind = any("service", "node", "provider");
      if (kind === "service")
        fleet.applyChange("cell1", { kind, id: `s-${at}`, service: gone ? undefined : service(at, more) });
      else if (kind === "node")
        fleet.applyChange("cell1", { kind, id: `id-${at}`, node: gone ? undefined : node(at) });
      else
        fleet.applyPlacement({
          revision: step + 2,
          reset: false,
          usedProviders: [],
          deletedProviderIds: gone ? [`id-${at}`] : [],
          providers: gone ? [] : [aProvider(`id-${at}`, SIZE)],
        });
      if (step % 50 === 49)
        fleet.applyAggregates([
          { id: "a", hosts: [name(at), name(1)], metadata: new Map([["availability_zone", "zone-2"]]) },
        ]);
      const request = aRequest({
        availabilityZone: any("", "zone-1", "zone-2", "nowhere"),
        forcedHost: any("", "", name(at), "nobody"),
        requestedNode: any("", "", `node-${at}`),
        ...(random.below(3) === 0 ? { source: aSource({ host: name(at), allowed: any(true, false) }) } : {}),
        purpose: any("boot", "boot", "live-migration", "evacuation"),
        exceptCells: any(new Set<string>(), new Set<string>(), new Set(["cell1"])),
        onlyCells: any(new Set<string>(), new Set(["cell1", "cell2"]), new Set(["cell2"])),
        excludedHosts: any(new Set<string>(), new Set([name(at).toLowerCase(), "host-1", "nobody"])),
      });
      const applying = hostPrefilters.filter((rule) => rule.applies(request));
      const expected = [...fleet.hosts().values()]
        .filter((host) => applying.every((rule) => rule.judge(host, request).passed))
        .flatMap(({ computeNodeId }) => fleet.index.slotOf(computeNodeId) ?? []);
      const found = applying
        .map((rule) => rule.pick(request, fleet))
        .reduce((both, picked) => picked.and(both), fleet.all());
      assert.deepEqual(
        found.toArray(),
        expected.sort((a, b) => a - b),
        `step ${step}`,
      );
    }
  });
});
