import assert from "node:assert/strict";
import { tellOf } from "../ops/decide.js";
import { rulesOf, schedulerConfig } from "../config.js";
import { filters } from "../filters/index.gen.js";
import { E } from "../errors.js";
import { explain } from "./explanation.js";
import { NO_HOST, ownerMessage, ownerSummary } from "./owner-text.js";
import { claimTellings, placementTellings } from "./placement-tellings.js";
import { hostPrefilters } from "./host-prefilters.js";
import { refuse } from "./verdict.js";
import type { HostRefusal } from "./verdict.js";

const tell = tellOf(rulesOf(schedulerConfig.parse({ enabledFilters: filters.map(({ name }) => name) })));
const refused = (
  host: string,
  rule: string,
  reason: string,
  facts: Record<string, string | number> = {},
  missing = 1,
): HostRefusal => ({ host, rule, refusal: refuse(reason, facts, missing) });
const memory = (host: string, free: number): HostRefusal =>
  refused(
    host,
    "placement",
    "NOT_ENOUGH",
    { resource_class: "MEMORY_MB", needed: 2048, free, capacity: 4096 },
    (2048 - free) / 2048,
  );
const message = (hosts: number, refusals: readonly HostRefusal[]): string =>
  ownerMessage(ownerSummary(explain(hosts, refusals, []), tell));

describe("why there is no host, for the owner of the server", () => {
  it("begins as Nova says it, then tells rules, numbers and the nearest miss", () =>
    assert.equal(
      message(5, [
        refused("e", "ComputeFilter", "HOST_DOWN"),
        memory("a", 100),
        memory("b", 512),
        memory("c", 0),
        refused("d", "ComputeFilter", "HOST_DISABLED"),
      ]),
      "No valid host was found. There are not enough hosts available. " +
        "3 of 5 hosts: not enough memory (2048 MiB needed, nearest has 512 free); " +
        "1 of 5 hosts: down; 1 of 5 hosts: disabled by the operator.",
    ));

  it("counts one host and none right", () => {
    assert.equal(message(1, [memory("a", 1)]).includes("1 of 1 host: not enough memory"), true);
    assert.equal(message(0, []), `${NO_HOST} There are no hosts.`);
    const one = message(2, [
      refused("a", "ServerGroupAntiAffinityFilter", "GROUP_MEMBERS_ON_HOST", { members: 1, limit: 1 }),
      refused("b", "DifferentHostFilter", "SERVERS_ON_HOST", { servers: 2 }),
    ]);
    assert.match(one, /1 member of the server group/);
    assert.match(one, /2 servers of the hint/);
  });

  it("is never longer than a fault may be, and says how much it left out", () => {
    const many = filters.flatMap(({ name, tellings }, at) =>
      Object.keys(tellings).map((reason, n) =>
        refused(`h${at}.${n}`, name, reason, { key: "k".repeat(255), needed: "n".repeat(255) }),
      ),
    );
    for (let count = 1; count <= many.length; count++) {
      const text = message(1000, many.slice(0, count));
      assert.ok(text.length <= 255, `${text.length}: ${text}`);
      assert.ok(text.startsWith(`${NO_HOST} `), text);
    }
    assert.match(message(1000, many), /; \d+ more reasons\.$/);
    const three = [many[0], many[1], many[2]].flatMap((one) => one ?? []);
    assert.match(message(1000, three), /; [12] more reasons?\.$/);
  });

  it("tells of capacity that somebody else took, and of a cloud without hosts, by error", () => {
    const error = E.NO_VALID_HOST({
      summary: ownerSummary(explain(1, [refused("a", "claim", "CAPACITY_EXCEEDED")], []), tell),
      hosts_considered: 1,
      refusals: "[]",
      details: "",
    });
    assert.equal(error.message, `${NO_HOST} 1 of 1 host: given to another server a moment before.`);
  });

  const all = [
    ...[...filters, ...hostPrefilters].map(({ name, tellings }) => [name, tellings] as const),
    ["placement", placementTellings] as const,
    ["claim", claimTellings] as const,
  ];
  for (const [rule, tellings] of all)
    for (const reason of Object.keys(tellings))
      it(`has a sentence for ${rule} ${reason}`, () => {
        const { text } = tell(rule, reason);
        assert.notEqual(text({}), `${rule} ${reason}`, "its name is no sentence");
        assert.doesNotMatch(text({}), /;|\.$/);
      });

  it("keeps back what only operators know of hosts", () => {
    const summary = ownerSummary(
      explain(
        3,
        [
          refused("a", "AggregateInstanceExtraSpecsFilter", "METADATA_DIFFERS", {
            key: "ssd",
            needed: "true",
            have: "customer-x",
          }),
          refused("b", "ComputeCapabilitiesFilter", "CAPABILITY_DIFFERS", {
            capability: "cpu_info:model",
            needed: "Nehalem",
            have: "secret-model",
          }),
          refused("c", "ImagePropertiesFilter", "HYPERVISOR_VERSION", { needed: ">=9", have: "7.2.22" }),
        ],
        [],
      ),
      tell,
    );
    for (const secret of ["customer-x", "secret-model", "7.2.22"])
      assert.ok(!summary.includes(secret), summary);
    for (const own of ["ssd=true", "Nehalem", ">=9"]) assert.ok(summary.includes(own), summary);
  });
});
