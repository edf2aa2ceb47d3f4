import type { JournalEntry } from "../../pkg/compute/agent/journal-entry.js";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fakeGuests, stateDir } from "./host-state.js";
import type { FakeGuestFile, Told } from "./host-state.js";
import type { SoakCloud } from "./soak-cloud.js";

interface Row {
  readonly id: string;
  readonly host: string | null;
  readonly vm_state: string;
  readonly power_state: string;
  readonly project_id: string;
}

/** Nova's numbers, as the column has them. */
const RUNNING = 1;
const PAUSED = 3;
const SHUTDOWN = 4;
const SUSPENDED = 7;
const POWER: Readonly<Record<string, number>> = { RUNNING, PAUSED, SHUTDOWN, CRASHED: SHUTDOWN, SUSPENDED };
/** The power that a lasting state stands for; of others nothing is said. */
const STANDS_FOR: Readonly<Record<string, number>> = {
  active: RUNNING,
  rescued: RUNNING,
  paused: PAUSED,
  stopped: SHUTDOWN,
  suspended: SUSPENDED,
};

/** Where a server may have left something: an end of a move that is neither confirmed nor reverted. */
interface End {
  readonly server_id: string;
  readonly host: string;
}

const ENDS = ["source", "target"]
  .map(
    (end) =>
      `SELECT m.server_id, m.${end}_host AS host FROM cell1.migration AS m
        JOIN cell1.instance AS i ON i.id = m.server_id WHERE i.deleted_at IS NULL AND m.status NOT IN ('confirmed', 'reverted')`,
  )
  .join(" UNION ");

/** Guests are those of the records, in the power state of the records, with the ports of the network. */
export async function onHosts(cloud: SoakCloud, told: Told): Promise<string[]> {
  const { deployment } = cloud;
  const servers = await deployment.query<Row>(
    "SELECT id, host, vm_state, power_state, project_id FROM cell1.instance WHERE deleted_at IS NULL",
  );
  const ports = new Map<string, string[]>();
  for (const { id, device_id } of await deployment.query<{ id: string; device_id: string }>(
    "SELECT id, device_id FROM standalone.network_port WHERE device_owner LIKE 'compute:%'",
  ))
    ports.set(device_id, [...(ports.get(device_id) ?? []), id]);
  const ends = await deployment.query<End>(ENDS);
  const toldOf = servers.map(({ id }) => id).filter((id) => told.has(id));
  /** Whose guests are on a host, besides those that its records say. */
  const leftOn = (host: string): Set<string> =>
    new Set([...toldOf, ...ends.filter((end) => end.host === host).map((end) => end.server_id)]);
  const found: string[] = [];
  for (const server of servers) {
    const stands = STANDS_FOR[server.vm_state];
    if (stands !== undefined && !told.has(server.id) && Number(server.power_state) !== stands)
      found.push(`power ${server.power_state} does not fit the state: ${JSON.stringify(server)}`);
  }
  for (const host of cloud.fakeHosts)
    found.push(
      ...compared(
        host,
        servers.filter((server) => server.host === host),
        fakeGuests(cloud, host),
        { ports, told, left: leftOn(host) },
      ),
    );
  if (cloud.qemuHost !== undefined)
    found.push(
      ...realGuests(
        cloud,
        servers.filter((server) => server.host === cloud.qemuHost),
        { told, left: leftOn(cloud.qemuHost) },
      ),
    );
  return found;
}

interface Facts {
  readonly told: Told;
  /** Servers that are elsewhere by their records, and may have a guest here. */
  readonly left: ReadonlySet<string>;
}

function compared(
  host: string,
  servers: readonly Row[],
  guests: readonly FakeGuestFile[],
  { ports, told, left }: Facts & { readonly ports: ReadonlyMap<string, readonly string[]> },
): string[] {
  const byId = new Map(guests.map((guest) => [guest.instanceUuid, guest]));
  const known = new Set(servers.map(({ id }) => id));
  const found = guests
    .filter(({ instanceUuid }) => !known.has(instanceUuid) && !left.has(instanceUuid))
    .map(({ instanceUuid }) => `${host} has a guest that no record has: ${instanceUuid}`);
  for (const server of servers) {
    const guest = byId.get(server.id);
    if (guest === undefined) {
      if (server.vm_state !== "error" && !told.has(server.id))
        found.push(`${host} lacks a guest: ${JSON.stringify(server)}`);
      continue;
    }
    if (POWER[guest.powerState] !== Number(server.power_state))
      found.push(`${host} says ${guest.powerState}: ${JSON.stringify(server)}`);
    if (guest.snapshots.length > 0 && !told.has(server.id))
      found.push(`${host} keeps copies of ${server.id}'s disk`);
    const [has, wants] = [guest.portIds, ports.get(server.id) ?? []].map((ids) => ids.toSorted().join(" "));
    // A detachment that a state's reset has ended may have come as far as the guest.
    if (has !== wants && !told.has(server.id))
      found.push(`${server.id} (${server.vm_state}) has ports ${has}, the network says ${wants}`);
  }
  return found;
}

/** Folders, processes and power of real guests. A process is found by its guest's folder in its arguments. */
function realGuests(cloud: SoakCloud, servers: readonly Row[], { told, left }: Facts): string[] {
  const host = cloud.qemuHost ?? "";
  const dir = join(stateDir(cloud, host), "guests");
  const folders = existsSync(dir) ? readdirSync(dir) : [];
  const known = new Set(servers.map(({ id }) => id));
  const running = new Set(qemuProcesses(dir).flatMap(({ args }) => uuidBelow(dir, args)));
  const found = [
    ...folders
      .filter((id) => !known.has(id) && !left.has(id))
      .map((id) => `${host} has a folder that no record has: ${id}`),
    ...[...running].filter((id) => !known.has(id)).map((id) => `${host} runs a guest of nobody: ${id}`),
  ];
  for (const server of servers) {
    const up = [RUNNING, PAUSED].includes(Number(server.power_state));
    if (server.vm_state !== "error" && !told.has(server.id) && !folders.includes(server.id))
      found.push(`${host} lacks a guest: ${JSON.stringify(server)}`);
    if (up !== running.has(server.id))
      found.push(`${host} ${up ? "does not run" : "runs"} a guest: ${JSON.stringify(server)}`);
    const copies = join(dir, server.id, "snapshots");
    if (!told.has(server.id) && existsSync(copies) && readdirSync(copies).length > 0)
      found.push(`${host} keeps copies of ${server.id}'s disk`);
  }
  return found;
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** The guest whose files a QEMU process has. */
function uuidBelow(dir: string, args: string): string[] {
  const found = UUID.exec(args.slice(args.indexOf(`${dir}/`) + dir.length + 1));
  return found === null ? [] : [found[0]];
}

/** QEMU's processes whose arguments name a folder. */
export function qemuProcesses(dir: string): readonly { readonly pid: number; readonly args: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return args.includes("qemu-system") && args.includes(`${dir}/`) ? [{ pid: Number(pid), args }] : [];
      } catch {
        return []; // It has just ended.
      }
    });
}

/** Every image has its file, and every file its image. */
export async function imageFiles({ deployment }: SoakCloud): Promise<string[]> {
  const dir = join(deployment.dir, "images");
  const files = new Set(readdirSync(join(dir, "data")));
  const images = await deployment.query<{ upload_id: string }>(
    "SELECT upload_id FROM standalone.image_image WHERE status = 'active'",
  );
  // Files have the names of uploads.
  const ids = new Set(images.map(({ upload_id }) => upload_id));
  return [
    ...[...ids].filter((id) => !files.has(id)).map((id) => `the image of upload ${id} has no file`),
    ...[...files].filter((name) => !ids.has(name)).map((name) => `a file of no image: ${name}`),
    ...readdirSync(join(dir, "incoming")).map((name) => `an upload that nobody goes on with: ${name}`),
  ];
}

/**
 * No agent is at a command.
 * @param told  servers whose state was set: what had begun stays so until they go
 */
export function journals(cloud: SoakCloud, told: Told): string[] {
  const hosts = [...cloud.fakeHosts, ...(cloud.qemuHost === undefined ? [] : [cloud.qemuHost])];
  return hosts.flatMap((host) => {
    const path = join(stateDir(cloud, host), "journal");
    if (!existsSync(path)) return [];
    const last = new Map<string, JournalEntry>();
    for (const line of readFileSync(path, "utf8").split("\n").filter(Boolean)) {
      const entry = JSON.parse(line) as Partial<JournalEntry> & Omit<JournalEntry, "commandId">;
      if (entry.commandId !== undefined) last.set(entry.commandId, { ...entry, commandId: entry.commandId });
    }
    return [...last]
      .filter(([, { phase, serverId }]) => phase === "started" && !told.has(serverId))
      .map(([id, { operation }]) => `${host} is still at command ${id} of ${operation}`);
  });
}
