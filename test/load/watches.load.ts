import { spawn } from "node:child_process";
import { join } from "node:path";
import { ServerTagsServiceDefinition } from "../../gen/kilonova/api/v1/server_tags_service.js";
import { until } from "../../pkg/testkit/until.js";
import { Cloud, projectRoot } from "../e2e/support/cloud.js";
import { GrpcUser, call } from "../e2e/support/grpc-user.js";
import type { LoadResult } from "./result.js";
import { percentiles, timed } from "./result.js";
import { collectGarbage } from "./support/collected.js";

const WATCHES = 1_000;
const MOST_MIB = 100;
const WRITES = 120;
const INSPECTOR_PORT = 42_229;

/** One project opens a thousand watches; another one sets tags. */
export async function run(): Promise<LoadResult> {
  const many = String(2 * WATCHES);
  const cloud = await Cloud.start({
    portOffset: 22_000,
    args: ["--driver", "fake", "--hosts", "1"],
    // By default one user may open a hundred: here it is what they cost that counts.
    env: {
      KILONOVA_API_MAX_WATCHES: many,
      KILONOVA_API_MAX_WATCHES_PER_PROJECT: many,
      KILONOVA_API_MAX_WATCHES_PER_USER: many,
      NODE_OPTIONS: `--inspect=127.0.0.1:${INSPECTOR_PORT}`,
    },
  });
  try {
    const [victim, attacker] = await Promise.all([
      GrpcUser.open(cloud, "admin"),
      GrpcUser.open(cloud, "demo"),
    ]);
    const { id: serverId } = await victim.boot("victim");
    const tags = victim.channel.client(ServerTagsServiceDefinition);
    const write = async (i: number): Promise<void> => {
      await tags.addServerTag(call(), { serverId, tag: `t${i % 20}` });
      await tags.removeServerTag(call(), { serverId, tag: `t${i % 20}` });
    };
    await timed(WRITES, write); // warm
    const alone = percentiles(await timed(WRITES, write));
    const before = await memoryMib(cloud);
    const attack = watchers(cloud, attacker.token);
    try {
      await attack.open(WATCHES);
      const attacked = percentiles(await timed(WRITES, write));
      const grown = (await memoryMib(cloud)) - before;
      return {
        name: "watches",
        victim: { alone, attacked },
        facts: { watches: WATCHES, "memory grown": `${grown.toFixed(0)} MiB` },
        failures: [
          ...(grown < MOST_MIB ? [] : [`${WATCHES} watches cost ${grown.toFixed(0)} MiB`]),
          ...attack.ended(),
        ],
      };
    } finally {
      await attack.stop();
      await Promise.all([victim, attacker].map((user) => user.channel.close()));
    }
  } finally {
    await cloud.stop();
    cloud.forget();
  }
}

/** Resident memory of the cloud's process, without garbage. */
async function memoryMib(cloud: Cloud): Promise<number> {
  await collectGarbage(INSPECTOR_PORT);
  const answer = await fetch(`http://127.0.0.1:${cloud.port(8771)}/metrics`);
  const bytes = /^process_resident_memory_bytes(?:\{.*\})? (\S+)$/m.exec(await answer.text())?.[1];
  if (bytes === undefined) throw new Error("the cloud does not tell its memory");
  return Number(bytes) / 2 ** 20;
}

/** Watches in a process of their own, so that reading them is not the victim's work. */
function watchers(cloud: Cloud, token: string) {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", join(import.meta.dirname, "support", "watchers.ts")],
    {
      cwd: projectRoot,
      env: {
        ...process.env,
        ADDRESS: `127.0.0.1:${cloud.port(8770)}`,
        TOKEN: token,
        COUNT: String(WATCHES),
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let told = "";
  child.stdout.on("data", (text: Buffer) => {
    told += text.toString();
  });
  return {
    open: (count: number) =>
      until(() => told.includes(`open ${count}\n`), { what: `${count} watches`, timeoutMs: 300_000 }),
    ended: () =>
      told
        .split("\n")
        .filter((line) => line.startsWith("ended "))
        .slice(0, 3),
    stop: () => {
      child.kill();
      return exited;
    },
  };
}
