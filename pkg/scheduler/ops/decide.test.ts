import assert from "node:assert/strict";
import { aProvider } from "../../placement/testing/builders.js";
import { createPacer } from "../../platform/process/index.js";
import { fakeClock } from "../../testkit/clock.js";
import { rulesOf, schedulerConfig } from "../config.js";
import { aRequest, extraSpecs } from "../testing/builders.js";
import { Fleet } from "../views/fleet.js";
import { decide, explainAll } from "./decide.js";

const config = schedulerConfig.parse({ maxSearchSteps: 10_000, maxSearchMs: 60_000 });
const rules = rulesOf(config);
const pace = () => ({ pacer: createPacer(), signal: new AbortController().signal });

/** Two hosts: one with accelerators on twelve children, one with a single large one if `roomy`. */
function fleetOf(roomy: boolean): Fleet {
  const fleet = new Fleet({ isUp: () => true, settled: () => true }, fakeClock(), 60_000);
  const size = { VCPU: 8, MEMORY_MB: 8192, DISK_GB: 100 };
  fleet.applyPlacement({
    revision: 1,
    reset: true,
    deletedProviderIds: [],
    usedProviders: [],
    providers: [
      aProvider("narrow", size),
      ...Array.from({ length: 12 }, (_, at) =>
        aProvider(`narrow-${at}`, { VGPU: 100 }, { parent: "narrow" }),
      ),
      aProvider("other", { ...size, VGPU: roomy ? 10_000 : 1 }),
    ],
  });
  const hosts = ["narrow", "other"];
  fleet.applySnapshot("cell1", {
    services: hosts.map((host) => ({
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
    nodes: hosts.map((id) => ({
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
}

/** A flavor of many groups that nearly fill the narrow host: nobody can tell quickly whether they fit. */
const manyGroups = aRequest({
  image: undefined,
  ...extraSpecs({
    group_policy: "none",
    ...Object.fromEntries(
      Array.from({ length: 36 }, (_, at) => [`resources${at + 1}:VGPU`, String(26 + ((at * 7919) % 15))]),
    ),
  }),
});

describe("decide", () => {
  it("finds the host that fits beside one that is too hard to tell", async () => {
    const choices = await decide(fleetOf(true), manyGroups, rules, config, pace());
    assert.deepEqual(
      choices.map(({ host }) => host.host),
      ["other"],
    );
  });
  it("ends at its budget, and the explanation says so of the hosts not reached", async () => {
    const fleet = fleetOf(false);
    assert.deepEqual(await decide(fleet, manyGroups, rules, config, pace()), []);
    const { refusals } = await explainAll(fleet, manyGroups, rules, config, pace());
    assert.deepEqual(
      refusals.map(({ reason, hosts }) => [reason, hosts]),
      [
        ["SEARCH_BUDGET_EXHAUSTED", 1],
        ["NOT_ENOUGH", 1],
      ],
    );
  });
  it("gives a quick decision at once, so that nothing comes between it and its claim", () => {
    const choices = decide(fleetOf(true), aRequest({ image: undefined }), rules, config, {
      pacer: createPacer({ firstMs: 60_000 }),
      signal: new AbortController().signal,
    });
    assert.ok(!(choices instanceof Promise));
    assert.equal(choices.length, 2);
  });
});
