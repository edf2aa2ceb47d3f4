import assert from "node:assert/strict";
import {
  contains,
  defaultPools,
  eui64Address,
  formatAddress,
  formatCidr,
  makeMac,
  overlaps,
  parseAddress,
  parseCidr,
  parseMac,
  pickAddress,
} from "./addresses.js";

const cidr = (text: string) => {
  const parsed = parseCidr(text);
  assert.ok(parsed, text);
  return parsed;
};
const address = (text: string) => {
  const parsed = parseAddress(text);
  assert.ok(parsed, text);
  return parsed;
};

describe("addresses", () => {
  it("reads and writes both versions in canonical form", () => {
    for (const [text, canonical] of [
      ["10.0.0.1", "10.0.0.1"],
      ["0.0.0.0", "0.0.0.0"],
      ["255.255.255.255", "255.255.255.255"],
      ["::", "::"],
      ["::1", "::1"],
      ["2001:DB8::0:1", "2001:db8::1"],
      ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
      ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
      ["::ffff:1.2.3.4", "::ffff:102:304"],
      ["fe80::", "fe80::"],
    ] as const)
      assert.equal(formatAddress(address(text)), canonical);
  });

  it("refuses what is no address", () => {
    for (const text of [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "256.1.1.1",
      "01.2.3.4",
      "1.2.3.x",
      ":",
      ":::",
      "1::2::3",
      "12345::",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "::1.2.3",
      "g::",
    ]) {
      assert.equal(parseAddress(text), undefined, text);
    }
    for (const text of [
      "10.0.0.0",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "::/129",
      "x/8",
      "10.0.0.0/-1",
    ])
      assert.equal(parseCidr(text), undefined, text);
  });

  it("drops host bits and compares ranges", () => {
    assert.equal(formatCidr(cidr("10.1.2.3/16")), "10.1.0.0/16");
    assert.equal(contains(cidr("10.0.0.0/8"), address("10.255.0.1")), true);
    assert.equal(contains(cidr("10.0.0.0/8"), address("::a")), false);
    assert.equal(overlaps(cidr("10.0.0.0/8"), cidr("10.9.0.0/16")), true);
    assert.equal(overlaps(cidr("10.0.0.0/16"), cidr("10.1.0.0/16")), false);
    assert.equal(overlaps(cidr("0.0.0.0/1"), cidr("::/1")), false);
  });

  it("leaves the gateway and the edges out of the pools", () => {
    assert.deepEqual(defaultPools(cidr("10.0.0.0/29"), address("10.0.0.1")), [
      { start: "10.0.0.2", end: "10.0.0.6" },
    ]);
    assert.deepEqual(defaultPools(cidr("10.0.0.0/29"), address("10.0.0.3")), [
      { start: "10.0.0.1", end: "10.0.0.2" },
      { start: "10.0.0.4", end: "10.0.0.6" },
    ]);
    assert.deepEqual(defaultPools(cidr("10.0.0.0/31"), undefined), [{ start: "10.0.0.0", end: "10.0.0.1" }]);
    assert.deepEqual(defaultPools(cidr("10.0.0.4/32"), address("10.0.0.4")), []);
    assert.deepEqual(defaultPools(cidr("fd00::/126"), address("fd00::1")), [
      { start: "fd00::2", end: "fd00::3" },
    ]);
  });

  it("picks every address of a pool before it gives up, wherever it starts", () => {
    const pools = [
      { start: "10.0.0.2", end: "10.0.0.3" },
      { start: "10.0.0.9", end: "10.0.0.9" },
    ];
    for (const start of [0, 0.4, 0.7, 0.999999]) {
      const taken = new Set<string>();
      for (let n = 0; n < 3; n++) taken.add(pickAddress(4, pools, taken, () => start) ?? "none");
      assert.deepEqual([...taken].sort(), ["10.0.0.2", "10.0.0.3", "10.0.0.9"]);
      assert.equal(
        pickAddress(4, pools, taken, () => start),
        undefined,
      );
    }
    assert.equal(
      pickAddress(4, [], new Set(), () => 0),
      undefined,
    );
    assert.equal(
      pickAddress(6, [{ start: "fd00::1", end: "fd00::ffff:ffff:ffff:ffff" }], new Set(), () => 0),
      "fd00::1",
    );
  });

  it("takes unicast MAC addresses in any common writing, and makes them in OpenStack's range", () => {
    assert.equal(parseMac("FA-16-3E-00-00-01"), "fa:16:3e:00:00:01");
    for (const text of [
      "01:00:5e:00:00:01",
      "fa:16:3e:00:00",
      "00:00:00:00:00:00",
      "fa:16:3e:00:00:zz",
      "ff:ff:ff:ff:ff:ff",
    ])
      assert.equal(parseMac(text), undefined, text);
    assert.equal(
      makeMac(() => 0.5),
      "fa:16:3e:80:80:80",
    );
    assert.equal(eui64Address(cidr("2001:db8::/64"), "fa:16:3e:12:34:56"), "2001:db8::f816:3eff:fe12:3456");
  });
});
