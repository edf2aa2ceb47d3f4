import type { Server } from "../../../../gen/kilonova/api/v1/server.js";
import type { ServerAddress } from "../../../../gen/kilonova/type/v1/server.js";
import { DiskConfig, VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Json, JsonObject } from "../../http/json.js";
import type { Links } from "../../http/links.js";
import type { Span } from "../../microversion/version.js";
import { always, between, never, since, until } from "../../microversion/version.js";
import { longTime, shortTime } from "../../view/times.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";
import { textsOf } from "../flavors/view.js";
import { hintsByName } from "../../../model/scheduler-hints.js";
import { powerStateNumber, vmStateWord } from "../../../model/instance-states.js";
import { hostStatusName, statusOf } from "./states.js";
import { orNone } from "../../../model/presence.js";

/**
 * `show` is GET of one, `detail` an item of the long list, `update` the answer of PUT, which was shorter
 * until 2.74, `rebuild` that of a rebuild, which always tells two things more.
 */
export type ServerForm = "show" | "detail" | "update" | "rebuild";
type ServerField = Field<Server, Links, ServerForm>;

const EXTRA_SPECS = "flavor.extra_specs";

/** The answer of PUT became the same as that of GET. */
const fullUpdate = since("2.75");
const updateLate = { update: fullUpdate, rebuild: fullUpdate } as const;

const WITH_PROGRESS = new Set(["ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"]);
const WITH_FAULT = new Set(["ERROR", "DELETED"]);
const statusOfServer = (s: Server): string =>
  statusOf(s.vmState, s.taskState ?? "", s.deletedAt !== undefined);
const userDataOf = (s: Server): string | null => s.userData?.toString("base64") ?? null;
const orNull = (text: string | undefined): string | null => orNone(text) ?? null;

function image(s: Server, links: Links, withProperties: boolean): Json {
  const id = orNone(s.image?.id);
  if (s.image === undefined || id === undefined) return "";
  const shown = { id, links: [{ rel: "bookmark", href: links.bookmark("images", id) }] };
  return withProperties ? { ...shown, properties: textsOf(s.image.properties) } : shown;
}

const linkedFlavor = (s: Server, links: Links): Json => ({
  id: s.flavor?.id ?? "",
  links: [{ rel: "bookmark", href: links.bookmark("flavors", s.flavor?.id ?? "") }],
});

function embeddedFlavor(s: Server, withExtraSpecs: boolean): Json {
  const f = s.flavor;
  const shown = {
    vcpus: f?.vcpus ?? 0,
    ram: f?.memoryMib ?? 0,
    disk: f?.rootGib ?? 0,
    ephemeral: f?.ephemeralGib ?? 0,
    swap: f?.swapMib ?? 0,
    original_name: f?.name ?? "",
  };
  return withExtraSpecs ? { ...shown, extra_specs: textsOf(f?.extraSpecs ?? new Map()) } : shown;
}

const shortAddress = (a: ServerAddress): JsonObject => ({ version: a.version, addr: a.address });
const longAddress = (a: ServerAddress): JsonObject => ({
  version: a.version,
  addr: a.address,
  "OS-EXT-IPS:type": a.type,
  "OS-EXT-IPS-MAC:mac_addr": a.macAddress ?? "",
});

/** Addresses by network label, in the order of the ports; none while the server is being built. */
const addressesOf = (s: Server, form: (a: ServerAddress) => JsonObject): Record<string, JsonObject[]> =>
  byLabel(s.vmState === VmState.VM_STATE_BUILDING ? [] : s.addresses, form);

/** Addresses under the names of their networks. */
export function byLabel(
  addresses: readonly ServerAddress[],
  form: (a: ServerAddress) => JsonObject,
): Record<string, JsonObject[]> {
  const labels = new Map<string, JsonObject[]>();
  for (const address of addresses) {
    const known = labels.get(address.networkLabel);
    if (known) known.push(form(address));
    else labels.set(address.networkLabel, [form(address)]);
  }
  return Object.fromEntries(labels);
}

function fault(s: Server): Json | undefined {
  if (!s.fault || !WITH_FAULT.has(statusOfServer(s))) return undefined;
  const { code, message } = s.fault;
  const details = orNone(s.fault.details);
  const shown = { code, created: shortTime(s.fault.createdAt) ?? "", message };
  return details === undefined ? shown : { ...shown, details };
}

function volumes(s: Server, withDelete: boolean): Json {
  return s.volumes.map((v) =>
    withDelete ? { id: v.id, delete_on_termination: v.deleteOnTermination } : { id: v.id },
  );
}

const late = ({ min, max }: Span): Span => ({ min: Math.max(min, fullUpdate.min), max });

/** A part of `host_info`, left out when `api` kept it back. */
const hostInfo = (
  name: string,
  span: Span,
  value: (info: NonNullable<Server["hostInfo"]>, s: Server) => Json,
): ServerField => ({
  name,
  span,
  forms: { update: late(span), rebuild: late(span) },
  hiddenAs: "host_info",
  value: (s) => (s.hostInfo ? value(s.hostInfo, s) : undefined),
});

const extended: Span = since("2.3");
const fields: readonly ServerField[] = [
  { name: "id", value: (s) => s.id },
  { name: "name", value: (s) => s.name },
  { name: "status", value: statusOfServer },
  { name: "tenant_id", value: (s) => s.projectId },
  { name: "user_id", value: (s) => s.userId },
  { name: "metadata", value: (s) => textsOf(s.metadata) },
  { name: "hostId", value: (s) => s.hostId ?? "" },
  { name: "image", span: until("2.97"), value: (s, links) => image(s, links, false) },
  { name: "image", span: since("2.98"), value: (s, links) => image(s, links, true) },
  { name: "flavor", span: until("2.46"), value: linkedFlavor },
  { name: "flavor", span: since("2.47"), hiddenAs: EXTRA_SPECS, value: (s) => embeddedFlavor(s, true) },
  { name: "flavor", span: since("2.47"), onlyIfHidden: EXTRA_SPECS, value: (s) => embeddedFlavor(s, false) },
  { name: "created", value: (s) => shortTime(s.createdAt) },
  { name: "updated", value: (s) => shortTime(s.updatedAt ?? s.createdAt) },
  {
    name: "addresses",
    forms: { update: until("2.74"), rebuild: until("2.74"), show: never, detail: never },
    value: (s) => addressesOf(s, shortAddress),
  },
  { name: "addresses", forms: updateLate, value: (s) => addressesOf(s, longAddress) },
  { name: "accessIPv4", value: (s) => s.accessIpV4 ?? "" },
  { name: "accessIPv6", value: (s) => s.accessIpV6 ?? "" },
  { name: "links", value: (s, links) => links.both("servers", s.id) },
  {
    name: "OS-DCF:diskConfig",
    value: (s) => (s.diskConfig === DiskConfig.DISK_CONFIG_AUTO ? "AUTO" : "MANUAL"),
  },
  { name: "fault", value: fault },
  { name: "progress", value: (s) => (WITH_PROGRESS.has(statusOfServer(s)) ? s.progress : undefined) },
  { name: "OS-EXT-AZ:availability_zone", forms: updateLate, value: (s) => s.availabilityZone ?? "" },
  { name: "config_drive", forms: updateLate, value: (s) => (s.configDrive ? "True" : "") },
  {
    name: "key_name",
    forms: { update: fullUpdate, rebuild: since("2.54") },
    value: (s) => orNull(s.keyName),
  },
  { name: "OS-SRV-USG:launched_at", forms: updateLate, value: (s) => longTime(s.launchedAt) },
  { name: "OS-SRV-USG:terminated_at", forms: updateLate, value: (s) => longTime(s.terminatedAt) },
  {
    name: "security_groups",
    forms: updateLate,
    value: (s) => (s.securityGroups.length === 0 ? undefined : s.securityGroups.map((name) => ({ name }))),
  },
  hostInfo("OS-EXT-SRV-ATTR:host", always, (info) => orNull(info.host)),
  hostInfo("OS-EXT-SRV-ATTR:instance_name", always, (info) => info.instanceName ?? ""),
  hostInfo("OS-EXT-SRV-ATTR:hypervisor_hostname", always, (info) => orNull(info.node)),
  hostInfo("OS-EXT-SRV-ATTR:reservation_id", extended, (_info, s) => s.reservationId),
  hostInfo("OS-EXT-SRV-ATTR:launch_index", extended, (_info, s) => s.launchIndex),
  hostInfo("OS-EXT-SRV-ATTR:hostname", between("2.3", "2.89"), (_info, s) => s.hostname),
  { name: "OS-EXT-SRV-ATTR:hostname", span: since("2.90"), value: (s) => s.hostname },
  hostInfo("OS-EXT-SRV-ATTR:kernel_id", extended, (info) => info.kernelId ?? ""),
  hostInfo("OS-EXT-SRV-ATTR:ramdisk_id", extended, (info) => info.ramdiskId ?? ""),
  hostInfo("OS-EXT-SRV-ATTR:root_device_name", extended, (info) => orNull(info.rootDeviceName)),
  {
    ...hostInfo("OS-EXT-SRV-ATTR:user_data", extended, (_info, s) => userDataOf(s)),
    forms: { update: late(extended), rebuild: never },
  },
  {
    name: "user_data",
    forms: { rebuild: since("2.57"), show: never, detail: never, update: never },
    value: userDataOf,
  },
  { name: "OS-EXT-STS:task_state", forms: updateLate, value: (s) => orNull(s.taskState) },
  { name: "OS-EXT-STS:vm_state", forms: updateLate, value: (s) => vmStateWord(s.vmState) || null },
  { name: "OS-EXT-STS:power_state", forms: updateLate, value: (s) => powerStateNumber(s.powerState) },
  {
    name: "os-extended-volumes:volumes_attached",
    span: until("2.2"),
    forms: { update: never, rebuild: never },
    value: (s) => volumes(s, false),
  },
  {
    name: "os-extended-volumes:volumes_attached",
    span: since("2.3"),
    forms: updateLate,
    value: (s) => volumes(s, true),
  },
  { name: "locked", span: since("2.9"), value: (s) => s.lock !== undefined },
  {
    name: "host_status",
    span: since("2.16"),
    forms: updateLate,
    hiddenAs: "host_status",
    value: (s) => hostStatusName(s.hostStatus),
  },
  { name: "description", span: since("2.19"), value: (s) => s.description ?? null },
  { name: "tags", span: since("2.26"), value: (s) => s.tags },
  {
    name: "trusted_image_certificates",
    span: since("2.63"),
    value: (s) => (s.trustedImageCertificates.length === 0 ? null : s.trustedImageCertificates),
  },
  {
    name: "server_groups",
    span: since("2.71"),
    forms: { detail: never },
    value: (s) => (s.serverGroupId === undefined ? [] : [s.serverGroupId]),
  },
  { name: "locked_reason", span: since("2.73"), value: (s) => (s.lock ? orNull(s.lock.reason) : null) },
  { name: "pinned_availability_zone", span: since("2.96"), value: (s) => orNull(s.pinnedAvailabilityZone) },
  {
    name: "scheduler_hints",
    span: since("2.100"),
    value: (s) => Object.fromEntries(hintsByName(s.schedulerHints)),
  },
];

export const serverView = (form: ServerForm): View<Server, Links> => new View(form, fields);
