import { createHash } from "node:crypto";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { BlockDeviceDestination, BlockDeviceRecord } from "../../gen/kilonova/cells/v1/server_records.js";
import { runDirFor } from "../../pkg/compute/drivers/qemu/guest-paths.js";
import { listProcesses } from "../../pkg/compute/drivers/host/linux-process.js";
import { fakeGuests, stateDir } from "./host-state.js";
import type { Told } from "./host-state.js";
import type { SoakCloud } from "./soak-cloud.js";
import type { Volumes } from "./volumes.js";

interface VolumeRow {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly task: unknown;
  /** How many snapshots it has: with one it cannot be deleted. */
  readonly snapshots: number;
}

interface AttachmentRow {
  readonly id: string;
  readonly volume_id: string;
  readonly server_id: string | null;
  readonly status: string;
  readonly host: string | null;
}

interface ServerRow {
  readonly id: string;
  readonly host: string | null;
  readonly vm_state: string;
  readonly power_state: string;
}

/** A device of a server that is there, and whether the device is. */
interface Device {
  readonly serverId: string;
  readonly volumeId: string;
  readonly attachmentId: string;
  readonly deleteOnTermination: boolean;
}

const RESTING: ReadonlySet<string> = new Set(["available", "in-use"]);
/** Servers without a host keep their volumes, to which nobody is connected. */
const isOffloaded = (server: ServerRow): boolean => server.vm_state === "shelved_offloaded";
const UP: ReadonlySet<number> = new Set([1, 3]);

/**
 * Volumes, attachments, block devices of the records, and what drivers and daemons have: all the same.
 * @param told    servers whose state an operator has set: what was being made for them stays until they go
 * @param atLast  whether all servers are deleted
 */
export async function volumesAgree(
  cloud: SoakCloud,
  volumes: Volumes,
  { told, atLast }: { readonly told: Told; readonly atLast: boolean },
): Promise<string[]> {
  const { deployment } = cloud;
  const rows = await deployment.query<VolumeRow>(
    `SELECT id, name, status, task, (SELECT count(*)::int FROM standalone.volume_snapshot AS s
      WHERE s.volume_id = v.id) AS snapshots FROM standalone.volume_volume AS v`,
  );
  const attachments = await deployment.query<AttachmentRow>(
    `SELECT id, volume_id, instance_uuid AS server_id, status, connector->>'host' AS host
      FROM standalone.volume_attachment`,
  );
  const servers = await deployment.query<ServerRow>(
    `SELECT id, host, vm_state, power_state FROM cell1.instance WHERE deleted_at IS NULL
      UNION ALL SELECT id, host, vm_state, power_state FROM cell0.instance WHERE deleted_at IS NULL`,
  );
  const devices = await devicesOf(cloud);
  const disturbed = new Set(
    attachments.filter(({ server_id: id }) => told.has(id ?? "")).map((one) => one.volume_id),
  );
  const offloaded = new Set(servers.filter(isOffloaded).map(({ id }) => id));
  const kept = new Set(
    attachments.filter((one) => offloaded.has(one.server_id ?? "")).map((one) => one.volume_id),
  );
  const rests = ({ id, status }: VolumeRow): boolean =>
    RESTING.has(status) || (status === "reserved" && kept.has(id));
  return [
    ...rows
      .filter((row) => (!rests(row) || row.task !== null) && !disturbed.has(row.id))
      .map((row) => `a volume that is not at rest: ${JSON.stringify(row)}`),
    ...statusOf(rows, attachments, disturbed),
    ...attachmentsOf(attachments, servers, devices, told),
    ...devices.flatMap((device) => recordOf(device, attachments, servers, told)),
    ...inFakeGuests(cloud, servers, devices, told),
    ...guestDaemons(cloud, servers, devices, told),
    ...serviceDaemons(cloud, attachments),
    ...(await files(cloud)),
    ...(atLast ? await afterwards(cloud, volumes, rows) : []),
  ];
}

/** In use as long as somebody has it. */
function statusOf(
  rows: readonly VolumeRow[],
  attachments: readonly AttachmentRow[],
  disturbed: ReadonlySet<string>,
): string[] {
  const had = new Set(attachments.map((one) => one.volume_id));
  return rows
    .filter(({ id, status }) => RESTING.has(status) && !disturbed.has(id))
    .filter(({ id, status }) => (status === "in-use") !== had.has(id))
    .map((row) => `a volume that is ${row.status}, but has other attachments: ${JSON.stringify(row)}`);
}

/** Each attachment is a server's that is there, complete, and in that server's record. */
function attachmentsOf(
  attachments: readonly AttachmentRow[],
  servers: readonly ServerRow[],
  devices: readonly Device[],
  told: Told,
): string[] {
  const known = new Map(servers.map((server) => [server.id, server]));
  const recorded = new Set(devices.map((one) => `${one.serverId} ${one.attachmentId}`));
  return attachments.flatMap((one) => {
    const server = known.get(one.server_id ?? "");
    if (server === undefined) return [`an attachment of a server that is gone: ${JSON.stringify(one)}`];
    if (told.has(server.id)) return [];
    const found: string[] = [];
    if (one.status !== (isOffloaded(server) ? "reserved" : "attached"))
      found.push(`an attachment that is not complete: ${JSON.stringify(one)}`);
    if (!recorded.has(`${server.id} ${one.id}`))
      found.push(`an attachment that no block device has: ${JSON.stringify(one)} ${server.vm_state}`);
    if (one.host !== null && one.host !== server.host)
      found.push(`an attachment of another host: ${JSON.stringify(one)}, the server is on ${server.host}`);
    return found;
  });
}

/** A record names its attachment. A server that could not be built has none. */
function recordOf(
  device: Device,
  attachments: readonly AttachmentRow[],
  servers: readonly ServerRow[],
  told: Told,
): string[] {
  const { serverId, volumeId, attachmentId } = device;
  const server = servers.find(({ id }) => id === serverId);
  if (server === undefined || told.has(serverId)) return [];
  if (server.vm_state === "error" && attachmentId === "") return [];
  const there = attachments.some(
    (one) => one.id === attachmentId && one.volume_id === volumeId && one.server_id === serverId,
  );
  return there ? [] : [`a block device without its attachment: ${JSON.stringify(device)} ${server.vm_state}`];
}

function inFakeGuests(
  cloud: SoakCloud,
  servers: readonly ServerRow[],
  devices: readonly Device[],
  told: Told,
): string[] {
  const onHost = new Map(servers.map(({ id, host }) => [id, host]));
  return cloud.fakeHosts.flatMap((host) =>
    fakeGuests(cloud, host)
      .filter(({ instanceUuid: id }) => onHost.get(id) === host && !told.has(id))
      .flatMap(({ instanceUuid, volumes }) => {
        const wants = sorted(devices.filter(({ serverId }) => serverId === instanceUuid));
        const has = sorted(volumes);
        return has === wants ? [] : [`${instanceUuid} on ${host} has volumes ${has}, its record ${wants}`];
      }),
  );
}

const sorted = (of: readonly { readonly volumeId: string }[]): string =>
  of
    .map(({ volumeId }) => volumeId)
    .toSorted()
    .join(" ");

const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** A running real guest has one daemon for each of its volumes; one that is off or rescued has none. */
function guestDaemons(
  cloud: SoakCloud,
  servers: readonly ServerRow[],
  devices: readonly Device[],
  told: Told,
): string[] {
  const { qemuHost } = cloud;
  if (qemuHost === undefined) return [];
  const dir = runDirFor(undefined, realpathSync(join(stateDir(cloud, qemuHost), "guests")));
  // Where the driver keeps it elsewhere, this would see nothing for ever.
  if (!existsSync(dir)) return [`${qemuHost} has no folder ${dir}`];
  const here = servers.filter(({ host }) => host === qemuHost);
  const wanted = new Map(
    here.flatMap((server) => {
      const up = UP.has(Number(server.power_state)) && server.vm_state !== "rescued";
      const its = up ? devices.filter(({ serverId }) => serverId === server.id) : [];
      return its.map(({ volumeId }) => [`${shortHash(server.id)}.v/vol-${shortHash(volumeId)}`, volumeId]);
    }),
  );
  const excused = new Set(here.filter(({ id }) => told.has(id)).map(({ id }) => shortHash(id)));
  const running = new Set(daemonsBelow(dir, /\/([0-9a-f]{16}\.v\/vol-[0-9a-f]{16})\/qmp\.sock/));
  const isExcused = (name: string): boolean => excused.has(name.slice(0, 16));
  const shown = [...running].join(", ") || "none at all";
  return [
    ...[...running]
      .filter((name) => !wanted.has(name) && !isExcused(name))
      .map((name) => `${qemuHost} runs a daemon without a guest that wants it: ${name}`),
    ...[...wanted]
      .filter(([name]) => !running.has(name) && !isExcused(name))
      .map(([name, volumeId]) => `${qemuHost} has no daemon for volume ${volumeId} (${name}), but ${shown}`),
  ];
}

/** The Block Storage service serves what somebody is connected to, and nothing else. */
function serviceDaemons({ deployment }: SoakCloud, attachments: readonly AttachmentRow[]): string[] {
  const connected = attachments.filter(({ host }) => host !== null).map((one) => one.volume_id);
  const wanted = new Map(connected.map((id) => [shortHash(id), id]));
  // The folder's hash stands for its name where that is too long for a socket.
  const running = new Set(
    [join(deployment.dir, "volumes"), `/run/kilonova-volumes-${shortHash(join(deployment.dir, "volumes"))}`]
      .map((dir) => daemonsBelow(dir, /\/m\/([0-9a-f]{16})\/qmp\.sock/))
      .flat(),
  );
  return [
    ...[...running]
      .filter((name) => !wanted.has(name))
      .map((name) => `Block Storage serves a volume to nobody: ${name}`),
    ...[...wanted]
      .filter(([name]) => !running.has(name))
      .map(([, id]) => `Block Storage does not serve volume ${id}`),
  ];
}

/** What a pattern finds in the arguments of the storage daemons whose sockets lie below a folder. */
function daemonsBelow(dir: string, pattern: RegExp): string[] {
  return listProcesses().flatMap(({ args: all }) => {
    const args = [...all];
    const mark = /(^|\/)qemu-storage-daemon$/.test(args[0] ?? "")
      ? args.find((arg) => arg.includes(`${dir}/`))
      : undefined;
    const found = mark === undefined ? null : pattern.exec(mark);
    return found === null ? [] : [found[1] ?? ""];
  });
}

/** Every volume and snapshot has its data, and all data is somebody's. */
async function files({ deployment }: SoakCloud): Promise<string[]> {
  const dir = join(deployment.dir, "volumes");
  const compare = async (folder: string, table: string): Promise<string[]> => {
    const rows = await deployment.query<{ id: string }>(`SELECT id FROM standalone.${table}`);
    const ids = new Set(rows.map(({ id }) => id));
    const path = join(dir, folder);
    const there = existsSync(path) ? readdirSync(path) : [];
    return [
      ...there.filter((id) => !ids.has(id)).map((id) => `data of no row of ${table}: ${id}`),
      ...[...ids].filter((id) => !there.includes(id)).map((id) => `a row of ${table} without data: ${id}`),
    ];
  };
  return [
    ...(await compare("volumes", "volume_volume")),
    ...(await compare("snapshots", "volume_snapshot")),
    ...readdirSync(join(dir, "incoming")).map((id) => `data that goes into no volume: ${id}`),
  ];
}

/**
 * What deleted servers had: what was to go with them is gone, unless it had snapshots by then, and what was
 * to stay is there, unless a user has deleted it.
 */
async function afterwards(
  cloud: SoakCloud,
  { made, deleted, snapped }: Volumes,
  rows: readonly VolumeRow[],
): Promise<string[]> {
  const there = new Map(rows.map((row) => [row.id, row]));
  const ended = await endedWith(cloud);
  const flagged = new Set(ended.filter((one) => one.deleteOnTermination).map(({ volumeId }) => volumeId));
  const kept = new Set(
    ended.filter((one) => !one.deleteOnTermination && one.wasBuilt).map(({ volumeId }) => volumeId),
  );
  return [
    ...[...flagged].flatMap((id) => {
      const row = there.get(id);
      return row === undefined || row.snapshots > 0 || snapped.has(id)
        ? []
        : [`a volume that should have gone with its server: ${JSON.stringify(row)}`];
    }),
    ...[...made, ...kept]
      .filter((id) => !there.has(id) && !deleted.has(id) && !flagged.has(id))
      .map((id) => `a volume that is lost: ${id}`),
  ];
}

interface DeviceRow {
  readonly server_id: string;
  readonly body: Buffer;
}

const CELLS = ["cell0", "cell1"] as const;

/** Present block devices on volumes. */
async function devicesOf({ deployment }: SoakCloud): Promise<Device[]> {
  const rows = await deployment.query<DeviceRow>(
    CELLS.map((s) => `SELECT server_id, body FROM ${s}.block_device WHERE deleted_at IS NULL`).join(
      " UNION ALL ",
    ),
  );
  return rows.flatMap(({ server_id, body }) => onVolume(server_id, body));
}

function onVolume(serverId: string, body: Buffer): Device[] {
  const { destination, volumeId, attachmentId, deleteOnTermination } = BlockDeviceRecord.decode(body);
  return destination === BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME && volumeId !== ""
    ? [{ serverId, volumeId, attachmentId, deleteOnTermination }]
    : [];
}

/** Devices that servers had when they were deleted; those that were taken out before have another end. */
async function endedWith({ deployment }: SoakCloud): Promise<(Device & { readonly wasBuilt: boolean })[]> {
  const rows = await deployment.query<DeviceRow & { readonly built: boolean }>(
    CELLS.map(
      (s) => `SELECT d.server_id, d.body, EXISTS (SELECT 1 FROM ${s}.operation AS o WHERE o.server_id = i.id
        AND o.kind = 'server.boot' AND o.state = 'succeeded') AS built FROM ${s}.block_device AS d
        JOIN ${s}.instance AS i ON i.id = d.server_id AND i.deleted_at = d.deleted_at`,
    ).join(" UNION ALL "),
  );
  return rows.flatMap(({ server_id, body, built }) =>
    onVolume(server_id, body).map((device) => ({ ...device, wasBuilt: built })),
  );
}
