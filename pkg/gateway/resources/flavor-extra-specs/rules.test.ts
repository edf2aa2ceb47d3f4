import assert from "node:assert/strict";
import { assertExtraSpecs, extraSpecRules } from "./rules.js";

describe("gateway: extra specs from 2.86", () => {
  const rules = extraSpecRules();
  const accepts = (name: string, value: string): boolean => {
    try {
      assertExtraSpecs(rules, new Map([[name, value]]));
      return true;
    } catch {
      return false;
    }
  };

  const rows: readonly [name: string, good: string, bad: string][] = [
    ["hw:cpu_policy", "dedicated", "pinned"],
    ["hw:numa_nodes", "2", "0"],
    ["hw:numa_cpus.3", "0-3,^2", "all"],
    ["hw:cpu_realtime", "yes", "maybe"],
    ["hw:mem_page_size", "2MB", "huge"],
    ["hw:redirected_usb_ports", "15", "16"],
    ["hw_rng:rate_bytes", "0", "-1"],
    ["quota:cpu_quota", "-1", "x"],
    ["trait:HW_CPU_X86_AVX2", "required", "true"],
    ["traitGPU:CUSTOM_FAST", "forbidden", "yes"],
    ["resources:VGPU", "1", "one"],
    ["resources_GPU:CUSTOM_THING", "2", ""],
    ["pci_passthrough:alias", "a:1, b:2", "a"],
    ["group_policy", "none", "soft"],
  ];
  for (const [name, good, bad] of rows) {
    it(`${name} takes ${good}, not ${bad === "" ? "nothing" : bad}`, () => {
      assert.equal(accepts(name, good), true);
      assert.equal(accepts(name, bad), false);
    });
  }

  // A pattern that backtracks would not come back within the test's time.
  it("judges hostile values at once", () => {
    for (const [name, value] of [
      ["hw:pmem", `${"a".repeat(250)}!`],
      ["hw:numa_cpus.0", `0${",1-1".repeat(60)}x`],
      ["pci_passthrough:alias", `${"a:1,".repeat(60)}!`],
    ] as const) {
      assert.equal(accepts(name, value), false);
    }
  });

  it("refuses unknown names in known namespaces, and lets all others pass", () => {
    for (const name of [
      "hw:numa_cpus",
      "hw:cpuPolicy",
      "trait:NO_SUCH_TRAIT",
      "resources:CUSTOM_lower",
      "capabilities:colour",
      "quota:x",
    ])
      assert.equal(accepts(name, "1"), false, name);
    for (const name of [
      "plain",
      "my:own",
      "capabilities:cpu_info:arch:x",
      "aggregate_instance_extra_specs:ssd",
      "accel:device_profile",
    ])
      assert.equal(accepts(name, "1"), true, name);
  });
});
