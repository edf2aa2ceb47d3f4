import type { Bitset, Condition } from "../../placement/index/index.js";
import type { HostFacts } from "./host-view.js";
import type { RequestSpec } from "./request-spec.js";
import { isTrue } from "./resource-request.js";
import { tells } from "./telling.js";
import type { Tellings } from "./telling.js";
import { pass, refuse } from "./verdict.js";
import type { Verdict } from "./verdict.js";

export interface PrefilterOptions {
  readonly queryPlacementForImageTypeSupport: boolean;
  readonly imageMetadataPrefilter: boolean;
}

/**
 * Conditions on the root provider of every host: they hold whichever provider of the tree gives the
 * resources.
 * @source scheduler.md §3
 */
export function rootConditions(request: RequestSpec, options: PrefilterOptions): Condition[] {
  const conditions: Condition[] = [{ anyOf: ["COMPUTE_STATUS_DISABLED"], forbidden: true }];
  const want = (...anyOf: string[]): void => {
    conditions.push({ anyOf, forbidden: false });
  };
  const { image, extraSpecs } = request;
  const property = (spec: string, name: string): string | undefined =>
    extraSpecs.get(spec) ?? image?.properties.get(name);
  if (options.queryPlacementForImageTypeSupport && image !== undefined && image.diskFormat !== "")
    want(`COMPUTE_IMAGE_TYPE_${shout(image.diskFormat)}`);
  if (options.imageMetadataPrefilter) {
    for (const [name, prefix] of IMAGE_TRAITS) {
      const value = image?.properties.get(name);
      if (value !== undefined) want(`${prefix}${shout(value)}`);
    }
  }
  if (extraSpecs.has("accel:device_profile")) want("COMPUTE_ACCELERATORS");
  if (isTrue(property("hw:virtio_packed_ring", "hw_virtio_packed_ring"))) want("COMPUTE_NET_VIRTIO_PACKED");
  if (isTrue(property("hw:ephemeral_encryption", "hw_ephemeral_encryption"))) {
    const format = property("hw:ephemeral_encryption_format", "hw_ephemeral_encryption_format");
    want(
      format === undefined ? "COMPUTE_EPHEMERAL_ENCRYPTION" : `COMPUTE_EPHEMERAL_ENCRYPTION_${shout(format)}`,
    );
  }
  if (property("hw:sound_model", "hw_sound_model") === "virtio") want("COMPUTE_SOUND_MODEL_VIRTIO");
  return conditions;
}

const shout = (text: string): string => text.toUpperCase().replaceAll("-", "_");

const IMAGE_TRAITS = [
  ["hw_cdrom_bus", "COMPUTE_STORAGE_BUS_"],
  ["hw_disk_bus", "COMPUTE_STORAGE_BUS_"],
  ["hw_video_model", "COMPUTE_GRAPHICS_MODEL_"],
  ["hw_vif_model", "COMPUTE_NET_VIF_MODEL_"],
  ["hw_architecture", "HW_ARCH_"],
  ["hw_emulation_architecture", "COMPUTE_ARCH_"],
  ["hw_viommu_model", "COMPUTE_VIOMMU_"],
] as const;

/** Hosts as sets of slots, by what rules ask for. What it gives is not to be changed. */
export interface HostIndex {
  all(): Bitset;
  named(kind: "host" | "lowerHost" | "node", name: string): Bitset;
  inZone(zone: string): Bitset;
}

/** A rule that only looks at a host's name and zone; it runs before resources are searched. */
export interface HostPrefilter<R extends string = string> {
  readonly name: string;
  readonly tellings: Tellings<R>;
  /**
   * Whether the request asks for anything that the rule could refuse: most ask for nothing, and hosts are
   * many.
   */
  applies(request: RequestSpec): boolean;
  judge(host: HostFacts, request: RequestSpec): Verdict<R>;
  /**
   * The hosts that `judge` passes, found without looking at the others: requests are many, and so are hosts.
   * A set of the caller's own.
   */
  pick(request: RequestSpec, hosts: HostIndex): Bitset;
}

const prefilter = <R extends string>(
  rule: HostPrefilter<R> & { judge(host: HostFacts, request: RequestSpec): Verdict<NoInfer<R>> },
): HostPrefilter => rule;

export const hostPrefilters: readonly HostPrefilter[] = [
  prefilter({
    name: "RequestedHost",
    tellings: { OTHER_HOST_REQUESTED: tells("not the host that was asked for") },
    applies: ({ forcedHost, forcedNode, requestedHost, requestedNode }) =>
      forcedHost !== "" || forcedNode !== "" || requestedHost !== "" || requestedNode !== "",
    judge: ({ host, node }, { forcedHost, forcedNode, requestedHost, requestedNode }) =>
      (forcedHost === "" || forcedHost === host) &&
      (forcedNode === "" || forcedNode === node) &&
      (requestedHost === "" || requestedHost === host) &&
      (requestedNode === "" || requestedNode === node)
        ? pass
        : refuse("OTHER_HOST_REQUESTED"),
    pick: ({ forcedHost, forcedNode, requestedHost, requestedNode }, hosts) => {
      const names = [
        ["host", forcedHost],
        ["node", forcedNode],
        ["host", requestedHost],
        ["node", requestedNode],
      ] as const;
      const picked = hosts.all().clone();
      for (const [kind, name] of names) if (name !== "") picked.and(hosts.named(kind, name));
      return picked;
    },
  }),
  prefilter({
    name: "ExcludedHosts",
    tellings: { TRIED_BEFORE: tells("tried before") },
    applies: ({ excludedHosts }) => excludedHosts.size > 0,
    judge: ({ host }, { excludedHosts }) =>
      excludedHosts.has(host.toLowerCase()) ? refuse("TRIED_BEFORE") : pass,
    pick: ({ excludedHosts }, hosts) => {
      const picked = hosts.all().clone();
      for (const host of excludedHosts) picked.andNot(hosts.named("lowerHost", host));
      return picked;
    },
  }),
  prefilter({
    name: "AvailabilityZone",
    tellings: { OTHER_ZONE: tells(({ needed }) => `not in availability zone ${needed}`) },
    // Who forces a host means it, wherever it is by now.
    applies: ({ availabilityZone, forcedHost, forcedNode }) =>
      availabilityZone !== "" && forcedHost === "" && forcedNode === "",
    judge: (host, { availabilityZone }) =>
      host.availabilityZone === availabilityZone
        ? pass
        : refuse("OTHER_ZONE", { needed: availabilityZone, have: host.availabilityZone }),
    pick: ({ availabilityZone }, hosts) => hosts.inZone(availabilityZone).clone(),
  }),
];
