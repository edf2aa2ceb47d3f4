import assert from "node:assert/strict";
import type { SecurityGroupRuleInfo } from "../../clients/neutron/ports.js";
import { fakeNeutron } from "../../clients/neutron/testing/fake-neutron.js";
import { rootCtx } from "../../kernel/index.js";
import type { SecurityRule } from "../switch/index.js";
import { readSecurity } from "./security-groups.js";

const ctx = rootCtx({ requestId: "req-groups" });

/** What the switch is told of a group with these rules. */
async function told(...rules: readonly Partial<SecurityGroupRuleInfo>[]): Promise<readonly SecurityRule[]> {
  const neutron = fakeNeutron();
  neutron.addSecurityGroup({
    id: "g",
    rules: rules.map((rule, at) => ({
      id: `r${at}`,
      securityGroupId: "g",
      direction: "ingress",
      ethertype: "IPv4",
      protocol: undefined,
      portRangeMin: undefined,
      portRangeMax: undefined,
      remoteIpPrefix: undefined,
      remoteGroupId: undefined,
      description: "",
      ...rule,
    })),
  });
  return (await readSecurity(ctx, neutron, ["g"])).rulesOf.get("g") ?? assert.fail("no such group");
}

describe("a security group as the switch is told of it", () => {
  it("leaves out a rule of a protocol that it does not know", async () => {
    assert.deepEqual(await told({ protocol: "frobnicate" }, { protocol: "constructor" }), []);
  });

  it("leaves out a rule for an address group, whose addresses it does not know", async () => {
    assert.deepEqual(await told({ protocol: "tcp", remoteAddressGroupId: "ag" }), []);
  });

  it("knows protocols by name and number, and what `icmp` means for IPv6", async () => {
    const rules = await told(
      { protocol: "tcp" },
      { protocol: "132" },
      { protocol: "icmp" },
      { protocol: "icmp", ethertype: "IPv6" },
      {},
    );
    assert.deepEqual(
      rules.map(({ protocol }) => protocol),
      [6, 132, 1, 58, undefined],
    );
  });

  it("has no rules when the Network service no longer has it", async () => {
    const { rulesOf } = await readSecurity(ctx, fakeNeutron(), ["gone"]);
    assert.equal(rulesOf.get("gone"), undefined);
  });
});
