import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { imageOf } from "../bench-cloud.js";
import { cpuMs } from "../cpu.js";
import { Rest, many } from "../rest.js";
import type { Subject } from "./action-cloud.js";

/** Has all actions, and is among what releases in use have. */
const VERSION = "2.93";
const POLL_MS = 200;
const PATIENCE_MS = 120_000;
/** Polls whose cost is measured, so that it can be taken off. */
const POLLS = 60;

interface Shown {
  readonly status: string;
  readonly "OS-EXT-STS:task_state": string | null;
}

/**
 * A running Nova on this machine, with fake hosts. How to log in is in the usual `OS_` variables; it has an
 * image, a flavor and a network called `private`.
 * @param pidFolder  has a file `<name>.pid` for each of its processes, database and queue included
 */
export async function nova(pidFolder: string): Promise<Subject> {
  const processes = (): readonly number[] =>
    readdirSync(pidFolder)
      .filter((name) => name.endsWith(".pid"))
      .map((name) => Number(readFileSync(join(pidFolder, name), "utf8")));
  const rest = await signedIn("compute");
  const [images, networks] = [await signedIn("image"), await signedIn("network")];
  const imageId = await imageOf(images);
  const [network] = (
    await networks.json<{ networks: { id: string }[] }>("GET", "/v2.0/networks?name=private")
  ).networks;
  images.close();
  networks.close();
  const [flavor] = (await rest.json<{ flavors: { id: string }[] }>("GET", "/flavors")).flavors;
  if (network === undefined || flavor === undefined) throw new Error("no network private, or no flavor");
  let polls = 0;
  const show = async (serverId: string): Promise<Shown | undefined> => {
    polls++;
    try {
      return (await rest.json<{ server: Shown }>("GET", `/servers/${serverId}`, undefined, VERSION)).server;
    } catch (error) {
      if (/: 404 /.test(String(error))) return undefined;
      throw error;
    }
  };
  const ended = async (serverId: string): Promise<void> => {
    for (const endMs = Date.now() + PATIENCE_MS; ; await delay(POLL_MS)) {
      const shown = await show(serverId);
      if (shown?.status === "ERROR") throw new Error(`${serverId} is in ERROR`);
      const building = shown?.status === "BUILD";
      if (!building && (shown?.["OS-EXT-STS:task_state"] ?? null) === null) return;
      if (Date.now() > endMs) throw new Error(`${serverId} does not come to an end`);
    }
  };
  const made = { name: "bench-polls", imageRef: imageId, flavorRef: flavor.id, networks: "none" };
  const { server } = await rest.json<{ server: { id: string } }>(
    "POST",
    "/servers",
    { server: made },
    VERSION,
  );
  await ended(server.id);
  // Nothing else goes on yet, so that this is what polls cost and nothing else.
  const before = cpuMs(processes());
  await many(POLLS, 1, () => show(server.id));
  const pollMs = (cpuMs(processes()) - before) / POLLS;
  await rest.send("DELETE", `/servers/${server.id}`);
  return {
    rest,
    // Its servers do not show when what was asked of their volumes has ended.
    volumes: undefined,
    imageId,
    networkId: network.id,
    flavorId: flavor.id,
    version: VERSION,
    processes,
    ended,
    waitingMs: () => polls * pollMs,
    stop: async () => rest.close(),
  };
}

/** A caller of a service, found in the catalog. */
async function signedIn(type: "compute" | "image" | "network"): Promise<Rest> {
  const credentials = Object.fromEntries(
    ["OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_NAME"].map((name) => [name, process.env[name] ?? ""]),
  );
  const identity = (process.env["OS_AUTH_URL"] ?? "").replace(/\/v3\/?$/, "");
  const asking = new Rest(`${identity}/v3`);
  await asking.login(identity, credentials);
  const { catalog } = await asking.json<{
    catalog: readonly { type: string; endpoints: readonly { interface: string; url: string }[] }[];
  }>("GET", "/auth/catalog");
  asking.close();
  const url = catalog
    .find((one) => one.type === type)
    ?.endpoints.find((one) => one.interface === "public")?.url;
  if (url === undefined) throw new Error(`the catalog has no ${type}`);
  const rest = new Rest(url.replace(/\/$/, ""));
  await rest.login(identity, credentials);
  return rest;
}
