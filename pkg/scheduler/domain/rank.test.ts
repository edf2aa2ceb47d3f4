import assert from "node:assert/strict";
import { rulesOf, schedulerConfig } from "../config.js";
import { aHostView, aRequest, anAggregate } from "../testing/builders.js";
import { filterHosts, rankHosts } from "./rank.js";

const config = (weights: Readonly<Record<string, number>> = {}, more: object = {}) =>
  rulesOf(schedulerConfig.parse({ weights, ...more }));
const off = Object.fromEntries(
  [
    "cpu",
    "ram",
    "disk",
    "ioOps",
    "hypervisorVersion",
    "buildFailure",
    "softAffinity",
    "softAntiAffinity",
    "numInstances",
  ].map((name) => [`${name}WeightMultiplier`, 0]),
);
const names = (ranked: readonly { host: { host: string } }[]): string[] =>
  ranked.map(({ host }) => host.host);
const free = (host: string, vcpus: number, more: object = {}) =>
  aHostView({ host, vcpus: { capacity: vcpus, used: 0 }, ...more });

describe("rankHosts", () => {
  it("prefers free hosts", () =>
    assert.deepEqual(
      names(rankHosts(aRequest(), [free("a", 2), free("b", 8), free("c", 4)], config(), "s")),
      ["b", "c", "a"],
    ));
  it("normalises between the hosts given, from 0 for free resources", () => {
    const ranked = rankHosts(
      aRequest(),
      [free("a", 4), free("b", 8)],
      config({ ...off, cpuWeightMultiplier: 2 }),
      "s",
    );
    assert.deepEqual(
      ranked.map(({ weight }) => weight),
      [2, 1],
    );
  });
  it("does not weigh a single host", () =>
    assert.equal(rankHosts(aRequest(), [free("a", 8)], config(), "s")[0]?.weight, 0));
  it("takes the multiplier of an aggregate, the smallest of several", () => {
    const packed = free("a", 8, {
      aggregates: [anAggregate({ cpu_weight_multiplier: "5" }), anAggregate({ cpu_weight_multiplier: "-1" })],
    });
    assert.deepEqual(
      names(rankHosts(aRequest(), [packed, free("b", 4)], config({ ...off, cpuWeightMultiplier: 1 }), "s")),
      ["b", "a"],
    );
  });
  it("lets a failed build outweigh everything", () =>
    assert.deepEqual(
      names(rankHosts(aRequest(), [free("a", 64, { failedBuilds: 1 }), free("b", 1)], config(), "s")),
      ["b", "a"],
    ));
  it("breaks ties by the seed, whatever the order of the hosts", () => {
    const hosts = ["a", "b", "c", "d", "e"].map((name) => free(name, 8));
    const first = names(rankHosts(aRequest(), hosts, config(), "seed"));
    assert.deepEqual(names(rankHosts(aRequest(), [...hosts].reverse(), config(), "seed")), first);
    const winners = new Set(
      Array.from({ length: 40 }, (_, seed) => names(rankHosts(aRequest(), hosts, config(), `s${seed}`))[0]),
    );
    assert.equal(winners.size, 5, "each host wins for some seed");
  });
  it("spreads over the best few when told so", () => {
    const hosts = [free("a", 8), free("b", 7), free("c", 1)];
    const winners = new Set(
      Array.from(
        { length: 40 },
        (_, seed) => names(rankHosts(aRequest(), hosts, config({}, { hostSubsetSize: 2 }), `s${seed}`))[0],
      ),
    );
    assert.deepEqual([...winners].sort(), ["a", "b"]);
  });
});

describe("filterHosts", () => {
  const broken = aHostView({ host: "broken", up: false, supported: [] });
  const picky = { hw_architecture: "aarch64" };
  it("names the first rule that refuses, and why", () => {
    const { passed, refused } = filterHosts(aRequest(), [broken, aHostView({ host: "good" })], config());
    assert.deepEqual(
      passed.map(({ host }) => host),
      ["good"],
    );
    assert.deepEqual(
      refused.map(({ host, rule, refusal }) => [host, rule, refusal.reason]),
      [["broken", "ComputeFilter", "HOST_DOWN"]],
    );
  });
  it("does not judge forced hosts", () =>
    assert.equal(filterHosts(aRequest({ forcedHost: "broken" }), [broken], config()).passed.length, 1));
  it("judges a rebuild by its image only", () => {
    const rebuild = { forcedHost: "broken", purpose: "rebuild-check" as const };
    assert.equal(filterHosts(aRequest(rebuild), [broken], config()).passed.length, 1);
    const image = { id: "i", diskFormat: "raw", properties: new Map(Object.entries(picky)) };
    assert.deepEqual(
      filterHosts(aRequest({ ...rebuild, image }), [broken], config()).refused.map(({ rule }) => rule),
      ["ImagePropertiesFilter"],
    );
  });
  it("refuses to start with an unknown filter", () =>
    assert.throws(() => schedulerConfig.parse({ enabledFilters: ["NoSuchFilter"] })));
});
