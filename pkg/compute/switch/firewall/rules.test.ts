import assert from "node:assert/strict";
import { parseIp } from "../packet/address.js";
import { ipProtocol } from "../packet/ip.js";
import type { SecurityRule } from "../port-config.js";
import type { Flow } from "./flow.js";
import { compileRules } from "./rules.js";

const flow = (over: Partial<Flow>): Flow => ({
  key: "k",
  version: 4,
  protocol: ipProtocol.tcp,
  remoteIp: parseIp("192.0.2.1"),
  destinationPort: undefined,
  icmp: undefined,
  tcpFlags: 0,
  opens: true,
  relatedKey: undefined,
  ...over,
});
const allows = (rule: Partial<SecurityRule>, over: Partial<Flow>): boolean =>
  compileRules([{ direction: "ingress", ethertype: "IPv4", ...rule }]).allows(
    "ingress",
    flow(over),
    (group) => group === "mine",
  );

describe("one rule of a security group", () => {
  const range = { protocol: ipProtocol.tcp, portRangeMin: 80, portRangeMax: 443 };
  const cases: readonly (readonly [string, Partial<SecurityRule>, Partial<Flow>, boolean])[] = [
    ["admits the lower end of its ports", range, { destinationPort: 80 }, true],
    ["admits the upper end of its ports", range, { destinationPort: 443 }, true],
    ["refuses a port below", range, { destinationPort: 79 }, false],
    ["refuses a port above", range, { destinationPort: 444 }, false],
    [
      "refuses a port below when only the lower end is set",
      { portRangeMin: 80 },
      { destinationPort: 79 },
      false,
    ],
    [
      "refuses a port above when only the upper end is set",
      { portRangeMax: 80 },
      { destinationPort: 81 },
      false,
    ],
    ["refuses a protocol without ports when it names ports", range, { destinationPort: undefined }, false],
    ["refuses another protocol", range, { protocol: ipProtocol.udp, destinationPort: 80 }, false],
    ["refuses the other version", {}, { version: 6 }, false],
    ["refuses who is outside of its network", { remoteCidr: "198.51.100.0/24" }, {}, false],
    ["admits who is inside of its network", { remoteCidr: "192.0.2.0/24" }, {}, true],
    ["refuses who is no member of its group", { remoteGroupId: "other" }, {}, false],
    ["admits a member of its group", { remoteGroupId: "mine" }, {}, true],
    [
      "refuses another type of ICMP message",
      { protocol: ipProtocol.icmp, portRangeMin: 8 },
      { protocol: ipProtocol.icmp, icmp: { type: 0, code: 0 } },
      false,
    ],
    [
      "refuses another code of ICMP message",
      { protocol: ipProtocol.icmp, portRangeMin: 3, portRangeMax: 4 },
      { protocol: ipProtocol.icmp, icmp: { type: 3, code: 1 } },
      false,
    ],
  ];
  for (const [what, rule, over, allowed] of cases) it(what, () => assert.equal(allows(rule, over), allowed));

  it("counts for its direction only", () => {
    const rules = compileRules([{ direction: "egress", ethertype: "IPv4" }]);
    assert.deepEqual(
      (["egress", "ingress"] as const).map((direction) => rules.allows(direction, flow({}), () => false)),
      [true, false],
    );
  });
});
