import type { CandidateRequest, Condition, RequestGroup } from "../../placement/index/index.js";
import type { RequestSpec } from "./request-spec.js";

interface DraftGroup {
  readonly resources: Map<string, number>;
  readonly required: Condition[];
}

/**
 * Translates what a server shall be, and what its ports and devices need, into groups of resources and
 * traits.
 * @param prefilters  conditions on the host's root provider
 * @source scheduler.md §4
 */
export function resourceRequest(
  request: RequestSpec,
  rootRequired: readonly Condition[],
  limit: number,
): CandidateRequest {
  const groups = new Map<string, DraftGroup>([["", { resources: baseResources(request), required: [] }]]);
  const group = (suffix: string): DraftGroup => {
    let found = groups.get(suffix);
    if (found === undefined) groups.set(suffix, (found = { resources: new Map(), required: [] }));
    return found;
  };
  for (const [key, value] of request.extraSpecs) {
    const resource = /^resources([A-Za-z0-9_-]{0,64}):([A-Z0-9_]+)$/.exec(key);
    if (resource?.[2] !== undefined && /^\d+$/.test(value))
      override(group(resource[1] ?? "").resources, resource[2], Number(value));
    const trait = /^trait([A-Za-z0-9_-]{0,64}):([A-Z0-9_]+)$/.exec(key);
    if (trait?.[2] !== undefined && (value === "required" || value === "forbidden"))
      group(trait[1] ?? "").required.push({ anyOf: [trait[2]], forbidden: value === "forbidden" });
  }
  const unsuffixed = group("").required;
  for (const [key, value] of request.image?.properties ?? []) {
    const trait = /^trait:([A-Z0-9_]+)$/.exec(key)?.[1];
    if (trait !== undefined && value === "required" && !unsuffixed.some(({ anyOf }) => anyOf.includes(trait)))
      unsuffixed.push({ anyOf: [trait], forbidden: false });
  }
  unsuffixed.push(...deviceTraits(request).map((condition) => ({ forbidden: false, ...condition })));
  const policy = request.extraSpecs.get("group_policy");
  const own = [...groups]
    .filter(([, draft]) => draft.resources.size > 0 || draft.required.length > 0)
    .map(([suffix, draft]): RequestGroup => ({ suffix, ...draft, memberOf: [], inTree: "" }));
  return {
    groups: [...own, ...request.groups],
    groupPolicy: request.groupPolicy || (policy === "isolate" ? "isolate" : "none"),
    rootRequired,
    sameSubtree: request.sameSubtree,
    limit,
  };
}

function baseResources(request: RequestSpec): Map<string, number> {
  const resources = new Map<string, number>();
  const dedicated = dedicatedCpus(request);
  override(
    resources,
    "PCPU",
    dedicated + (dedicated > 0 && request.extraSpecs.get("hw:emulator_threads_policy") === "isolate" ? 1 : 0),
  );
  override(resources, "VCPU", request.vcpus - dedicated);
  override(resources, "MEMORY_MB", request.memoryMib);
  const rootGib = request.image === undefined ? 0 : request.rootGib;
  override(resources, "DISK_GB", rootGib + request.ephemeralGib + Math.ceil(request.swapMib / 1024));
  if (isTrue(request.extraSpecs.get("hw:mem_encryption"))) resources.set("MEM_ENCRYPTION_CONTEXT", 1);
  return resources;
}

/** How many CPUs are pinned: all for `dedicated`, those of the mask for `mixed`. */
function dedicatedCpus({ vcpus, extraSpecs, image }: RequestSpec): number {
  const policy = extraSpecs.get("hw:cpu_policy") ?? image?.properties.get("hw_cpu_policy");
  if (policy === "dedicated") return vcpus;
  if (policy !== "mixed") return 0;
  return maskedCpus(extraSpecs.get("hw:cpu_dedicated_mask") ?? "", vcpus).size;
}

/** Reads `0-3,^2`, within the CPUs there are. */
export function maskedCpus(mask: string, vcpus: number): Set<number> {
  const chosen = new Set<number>();
  const dropped = new Set<number>();
  const parts = mask.split(",").map((part) => part.trim());
  if (parts.every((part) => part.startsWith("^"))) for (let cpu = 0; cpu < vcpus; cpu++) chosen.add(cpu);
  for (const part of parts) {
    const match = /^(\^?)(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) continue;
    const [first, last] = [Number(match[2]), Number(match[3] ?? match[2])];
    for (let cpu = first; cpu <= Math.min(last, vcpus - 1); cpu++)
      (match[1] === "^" ? dropped : chosen).add(cpu);
  }
  for (const cpu of dropped) chosen.delete(cpu);
  return chosen;
}

/** Sets an amount; 0 removes the class, as `resources:VCPU=0` asks. */
function override(resources: Map<string, number>, resourceClass: string, amount: number): void {
  if (amount > 0) resources.set(resourceClass, amount);
  else resources.delete(resourceClass);
}

export const isTrue = (text: string | undefined): boolean =>
  text !== undefined && /^(true|yes|on|1|t|y)$/i.test(text.trim());

/** Traits that follow from what the guest's hardware shall be. */
function deviceTraits({
  extraSpecs,
  image,
}: RequestSpec): { readonly anyOf: readonly string[]; readonly forbidden?: boolean }[] {
  const asked = (spec: string, property: string): string | undefined =>
    extraSpecs.get(spec) ?? image?.properties.get(property);
  const traits: { anyOf: string[]; forbidden?: boolean }[] = [];
  const want = (...anyOf: string[]): void => {
    traits.push({ anyOf });
  };
  const tpm = asked("hw:tpm_version", "hw_tpm_version");
  if (tpm !== undefined) want(`COMPUTE_SECURITY_TPM_${tpm.replace(".", "_")}`);
  const model = asked("hw:tpm_model", "hw_tpm_model");
  if (model !== undefined)
    want(model.toLowerCase().includes("crb") ? "COMPUTE_SECURITY_TPM_CRB" : "COMPUTE_SECURITY_TPM_TIS");
  if (asked("os:secure_boot", "os_secure_boot") === "required") want("COMPUTE_SECURITY_UEFI_SECURE_BOOT");
  const addressing = asked("hw:maxphysaddr_mode", "hw_maxphysaddr_mode");
  if (addressing !== undefined)
    want(`COMPUTE_ADDRESS_SPACE_${addressing === "passthrough" ? "PASSTHROUGH" : "EMULATED"}`);
  if (isTrue(image?.properties.get("hw_firmware_stateless"))) want("COMPUTE_SECURITY_STATELESS_FIRMWARE");
  if (isTrue(asked("hw:mem_encryption", "hw_mem_encryption")))
    want(
      `HW_CPU_X86_AMD_${asked("hw:mem_encryption_model", "hw_mem_encryption_model") === "amd-sev-es" ? "SEV_ES" : "SEV"}`,
    );
  const threads = extraSpecs.get("hw:cpu_thread_policy");
  if (threads === "require") want("HW_CPU_HYPERTHREADING");
  if (threads === "isolate") traits.push({ anyOf: ["HW_CPU_HYPERTHREADING"], forbidden: true });
  return traits;
}
