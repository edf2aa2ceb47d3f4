// Written by scripts/gen-registries.mjs from the files in pkg/scheduler/filters. Do not edit.
import type { HostFilter } from "../domain/rules.js";
import aggregateInstanceExtraSpecs from "./aggregate-instance-extra-specs.js";
import aggregateMultiTenancyIsolation from "./aggregate-multi-tenancy-isolation.js";
import aggregateTypeAffinity from "./aggregate-type-affinity.js";
import allHosts from "./all-hosts.js";
import computeCapabilities from "./compute-capabilities.js";
import compute from "./compute.js";
import differentHost from "./different-host.js";
import imageProperties from "./image-properties.js";
import ioOps from "./io-ops.js";
import isolatedHosts from "./isolated-hosts.js";
import numInstances from "./num-instances.js";
import sameHost from "./same-host.js";
import serverGroupAffinity from "./server-group-affinity.js";
import serverGroupAntiAffinity from "./server-group-anti-affinity.js";

/** Everything in this folder, by file name. */
export const filters: readonly HostFilter[] = [
  aggregateInstanceExtraSpecs,
  aggregateMultiTenancyIsolation,
  aggregateTypeAffinity,
  allHosts,
  computeCapabilities,
  compute,
  differentHost,
  imageProperties,
  ioOps,
  isolatedHosts,
  numInstances,
  sameHost,
  serverGroupAffinity,
  serverGroupAntiAffinity,
];
