import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cagedPrograms, endVolumeDaemonsBelow } from "../../../pkg/compute/index.js";
import type { Standalone } from "../../../pkg/standalone/wire.js";
import { volumeConfig } from "../../../pkg/standalone/volume/index.js";
import type { VolumeConfig, VolumeEvent } from "../../../pkg/standalone/volume/index.js";
import { until } from "../../../pkg/testkit/until.js";
import { testCloud } from "./standalone-cloud.js";
import type { TestCloud } from "./standalone-cloud.js";

export type Json = Readonly<Record<string, unknown>>;

/** An answer of the Block Storage service. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

/** A cloud with Block Storage, and words for its wire. */
export interface VolumeCloud {
  readonly t: TestCloud;
  readonly directory: string;
  readonly volumeEvents: VolumeEvent[];
  readonly tokens: { readonly admin: string; readonly demo: string; readonly nova: string };
  readonly projects: { readonly admin: string; readonly demo: string; readonly service: string };
  /** Sends a request of a user's, below its own project. */
  ask(
    user: "admin" | "demo" | "nova",
    method: string,
    path: string,
    body?: unknown,
    more?: { readonly version?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Answer>;
  /** Waits until a volume, a snapshot or an image is in one of the states. @returns it */
  settled(path: string, state: string): Promise<Json>;
  /** Waits until it is gone. */
  gone(path: string): Promise<void>;
  /** Ends the service and starts it again over the same data. */
  restart(): Promise<Standalone>;
  /** Runs qemu-io on a served volume. @returns what it printed */
  io(connection: Json, commands: readonly string[], readOnly?: boolean): Promise<string>;
  close(): Promise<void>;
}

const run = promisify(execFile);

export const inner = (body: Json, name: string): Json => body[name] as Json;

export async function volumeCloud(limits: Partial<VolumeConfig> = {}): Promise<VolumeCloud> {
  const directory = await mkdtemp(join(tmpdir(), "kn-vol-"));
  const volumeEvents: VolumeEvent[] = [];
  const programs = () => cagedPrograms({ mode: "auto", uids: { first: 0, count: 10_000 } });
  const volume = {
    port: 0,
    directory,
    programs: await programs(),
    limits: { ...volumeConfig.parse({ freeSpaceMib: 0 }), ...limits },
    onVolumeEvents: async (_ctx: unknown, events: readonly VolumeEvent[]) => {
      volumeEvents.push(...events);
    },
  };
  const t = await testCloud({ volume });
  let current: Standalone = t.cloud;
  const tokens = {
    admin: await t.login("admin"),
    demo: await t.login("demo"),
    nova: await t.login("nova"),
  };
  const { admin, demo, service } = t.cloud.seeded.projects;
  const projectOf = { admin, demo, nova: service };
  const ask: VolumeCloud["ask"] = (user, method, path, body, more = {}) =>
    t.raw(`${current.urls.volume}/v3/${projectOf[user]}${path}`, {
      method,
      token: tokens[user],
      headers: { "OpenStack-API-Version": `volume ${more.version ?? "3.68"}`, ...more.headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  return {
    t,
    directory,
    volumeEvents,
    tokens,
    projects: { admin, demo, service },
    ask,
    settled: async (path, state) => {
      let seen: Json = {};
      await until(
        async () => {
          const { body } = await ask("admin", "GET", path);
          seen = (Object.values(body)[0] ?? {}) as Json;
          return seen["status"] === state || String(seen["status"]).startsWith("error");
        },
        { timeoutMs: 60_000 },
      );
      assert.equal(seen["status"], state, path);
      return seen;
    },
    gone: async (path) => {
      await until(async () => (await ask("admin", "GET", path)).status === 404, { timeoutMs: 60_000 });
    },
    restart: async () => {
      await current.close(0);
      current = await t.restart();
      return current;
    },
    io: async (connection, commands, readOnly = false) => {
      const url = `nbd+unix:///${String(connection["export"])}?socket=${String(connection["unix"])}`;
      const { stdout } = await run("qemu-io", [
        ...(readOnly ? ["-r"] : []),
        ...["-f", "raw", url],
        ...commands.flatMap((command) => ["-c", command]),
      ]);
      return stdout;
    },
    close: async () => {
      // Nothing that is served outlives the test.
      await endVolumeDaemonsBelow(directory);
      await t.close();
      await endVolumeDaemonsBelow(directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Processes that serve volumes whose files lie below the folder, or whose id it is. */
export async function daemonsBelow(directory: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (line.startsWith("qemu-storage-daemon\0") && line.includes(directory)) found.push(Number(name));
  }
  return found;
}
