// Written by scripts/gen-registries.mjs from the files in pkg/scheduler/weighers. Do not edit.
import type { HostWeigher } from "../domain/rules.js";
import buildFailure from "./build-failure.js";
import cpu from "./cpu.js";
import crossCell from "./cross-cell.js";
import disk from "./disk.js";
import hypervisorVersion from "./hypervisor-version.js";
import ioOps from "./io-ops.js";
import numInstances from "./num-instances.js";
import ram from "./ram.js";
import serverGroupSoftAffinity from "./server-group-soft-affinity.js";
import serverGroupSoftAntiAffinity from "./server-group-soft-anti-affinity.js";

/** Everything in this folder, by file name. */
export const weighers: readonly HostWeigher[] = [
  buildFailure,
  cpu,
  crossCell,
  disk,
  hypervisorVersion,
  ioOps,
  numInstances,
  ram,
  serverGroupSoftAffinity,
  serverGroupSoftAntiAffinity,
];
