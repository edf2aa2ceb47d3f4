import { extraSpecs, judgeTable } from "../testing/builders.js";
import filter from "./compute-capabilities.js";

const host = {
  capabilities: {
    hypervisor_type: "QEMU",
    hypervisor_version: 7_002_000,
    cpu_info: { arch: "x86_64", features: ["sse", "avx"] },
  },
};

judgeTable(filter, [
  ["passes without extra specs", {}, {}, ""],
  [
    "compares numbers by their operator",
    host,
    extraSpecs({ "capabilities:hypervisor_version": ">= 7000000" }),
    "",
  ],
  ["takes = for at least", host, extraSpecs({ "capabilities:hypervisor_version": "= 1000" }), ""],
  [
    "refuses a smaller number",
    host,
    extraSpecs({ "capabilities:hypervisor_version": ">= 8000000" }),
    "CAPABILITY_DIFFERS",
  ],
  ["walks into nested values", host, extraSpecs({ "capabilities:cpu_info:arch": "x86_64" }), ""],
  ["finds one of a list", host, extraSpecs({ "capabilities:cpu_info:features": "<in> avx" }), ""],
  [
    "refuses what a list lacks",
    host,
    extraSpecs({ "capabilities:cpu_info:features": "<in> avx512" }),
    "CAPABILITY_DIFFERS",
  ],
  [
    "refuses an unknown scoped capability",
    host,
    extraSpecs({ "capabilities:gpu": "1" }),
    "CAPABILITY_MISSING",
  ],
  [
    "refuses names that every object has",
    host,
    extraSpecs({ "capabilities:constructor": "1" }),
    "CAPABILITY_MISSING",
  ],
  [
    "judges an unscoped key that the host knows",
    host,
    extraSpecs({ hypervisor_type: "KVM" }),
    "CAPABILITY_DIFFERS",
  ],
  ["ignores an unscoped key that the host does not know", host, extraSpecs({ colour: "blue" }), ""],
  ["ignores other scopes", host, extraSpecs({ "hw:cpu_policy": "dedicated", "quota:vif_inbound": "1" }), ""],
]);
