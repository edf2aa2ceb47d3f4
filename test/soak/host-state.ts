import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { SoakCloud } from "./soak-cloud.js";

/** What a fake host keeps of a guest, as far as it is compared. */
export interface FakeGuestFile {
  readonly instanceUuid: string;
  readonly powerState: string;
  readonly portIds: readonly string[];
  readonly snapshots: readonly string[];
  readonly volumes: readonly { readonly volumeId: string }[];
}

/** Servers whose state an operator has set: what was being made for them stays until they are deleted. */
export type Told = ReadonlySet<string>;

/** Where an agent's process keeps the state of all its hosts. */
const processDir = ({ deployment }: SoakCloud, host: string): string =>
  join(deployment.dir, `compute-${host}`);

/** Where an agent keeps what it has of one host. */
export const stateDir = (cloud: SoakCloud, host: string): string =>
  join(processDir(cloud, host), "hosts", host);

export function fakeGuests(cloud: SoakCloud, host: string): readonly FakeGuestFile[] {
  const dir = join(stateDir(cloud, host), "guests");
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(dir, name), "utf8")) as FakeGuestFile);
}

export async function toldServers({ deployment }: SoakCloud): Promise<Told> {
  const rows = await deployment.query<{ server_id: string }>(
    "SELECT DISTINCT server_id FROM cell1.operation WHERE kind = 'server.reset-state'",
  );
  return new Set(rows.map(({ server_id }) => server_id));
}
