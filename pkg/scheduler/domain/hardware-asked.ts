import type { RequestSpec } from "./request-spec.js";
import { isTrue } from "./resource-request.js";

type Asked = Pick<RequestSpec, "extraSpecs" | "image">;

/** What gives a guest a NUMA topology, by the flavor's name and the image's. @source scheduler.md §9 */
const NUMA = [
  ["hw:numa_nodes", "hw_numa_nodes"],
  ["hw:mem_page_size", "hw_mem_page_size"],
  ["hw:pmem", ""],
] as const;
const NUMA_PART = /^hw[:_]numa_(cpus|mem)\.\d+$/;

/**
 * The extra spec or image property by which a server asks for a place in its host's NUMA topology; undefined
 * when none does.
 */
export function numaAsked({ extraSpecs, image }: Asked): string | undefined {
  const properties = image?.properties ?? new Map<string, string>();
  for (const [spec, property] of NUMA) {
    if (extraSpecs.has(spec)) return spec;
    if (properties.has(property)) return property;
  }
  for (const [name, values] of [
    ["hw:cpu_policy", extraSpecs],
    ["hw_cpu_policy", properties],
  ] as const)
    if (["dedicated", "mixed"].includes(values.get(name) ?? "")) return name;
  for (const [name, values] of [
    ["hw:cpu_realtime", extraSpecs],
    ["hw_cpu_realtime", properties],
  ] as const)
    if (isTrue(values.get(name))) return name;
  return [...extraSpecs.keys(), ...properties.keys()].find((name) => NUMA_PART.test(name));
}

/** The extra spec, or the PCI request, by which a server asks for PCI devices; undefined when none does. */
export function pciAsked({
  extraSpecs,
  pciRequests,
}: Pick<RequestSpec, "extraSpecs" | "pciRequests">): string | undefined {
  const alias = "pci_passthrough:alias";
  return extraSpecs.has(alias) ? alias : pciRequests[0];
}
