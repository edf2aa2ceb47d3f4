// `npm run bench`: CPU time per operation of a whole cloud on the fake driver, with fsync, policy and tracing
// on. Writes docs/perf.md.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { Cloud, projectRoot } from "../e2e/support/cloud.js";
import { measureBaseline } from "./baseline.js";
import { cpuMs, pssMib } from "./cpu.js";
import { measureHop } from "./hop.js";
import { Rest, many } from "./rest.js";

/** CPU time of the real Nova on such a machine, in ms; its servers had no network. */
const NOVA_MS = { create: 1000, detail1000: 2100, show: 54, flavors: 11 } as const;

const NOTES = "## Notes\n";

/**
 * Each operation is measured this often, the baseline before it each time: the machine's own speed changes
 * from minute to minute.
 */
const PARTS = 3;

interface Part {
  readonly cpuMsEach: number;
  readonly perSecond: number;
}
interface Row extends Part {
  readonly what: string;
  readonly novaMs?: number;
}

/** The one in the middle. */
function median<T>(all: readonly T[], by: (one: T) => number): T {
  const middle = [...all].sort((a, b) => by(a) - by(b))[Math.floor(all.length / 2)];
  if (middle === undefined) throw new Error("nothing was measured");
  return middle;
}

const postgresPid = (home: string): number => {
  const base = (JSON.parse(readFileSync(join(home, "postgres.json"), "utf8")) as { base: string }).base;
  return Number(readFileSync(join(base, "data", "postmaster.pid"), "utf8").split("\n")[0]);
};

const cloud = await Cloud.start({
  portOffset: 30_000,
  args: ["--driver", "fake", "--hosts", "20"],
  env: {
    KILONOVA_TELEMETRY_TRACES: "discard",
    KILONOVA_CELLS_MAX_INSTANCES: "-1",
    KILONOVA_CELLS_MAX_CORES: "-1",
    KILONOVA_CELLS_MAX_RAM_MIB: "-1",
  },
});
try {
  const rows = await bench();
  const report = render(rows);
  console.log(report.text);
  const path = join(projectRoot, "docs", "perf.md");
  // What people wrote about the figures stays.
  const [, notes] = readFileSync(path, "utf8").split(NOTES);
  writeFileSync(path, notes === undefined ? report.markdown : `${report.markdown}\n${NOTES}${notes}`);
  // Tables are laid out as everything else.
  execFileSync(join(projectRoot, "node_modules", ".bin", "prettier"), [
    "--write",
    "--log-level",
    "warn",
    path,
  ]);
} finally {
  await cloud.stop();
  cloud.forget();
}

async function bench(): Promise<{
  rows: Row[];
  pss: ReturnType<typeof pssMib>;
  baselines: readonly number[];
}> {
  const roots = [cloud.pid, postgresPid(cloud.home)];
  const rest = new Rest(`http://127.0.0.1:${cloud.port(8774)}/v2.1`);
  await rest.login(`http://127.0.0.1:${cloud.port(5000)}`, cloud.credentials("admin"));
  const image = (await imageOf()).id;
  const network = await networkOf();
  const rows: Row[] = [];
  const baselines: number[] = [];
  const measure = async (
    what: string,
    count: number,
    concurrency: number,
    call: () => Promise<unknown>,
    novaMs?: number,
    settle?: () => Promise<void>,
  ): Promise<void> => {
    const parts: Part[] = [];
    for (let part = 0; part < PARTS; part++) {
      baselines.push(await measureBaseline());
      const before = cpuMs(roots);
      const started = performance.now();
      await many(count, concurrency, call);
      await settle?.();
      const seconds = (performance.now() - started) / 1000;
      parts.push({ cpuMsEach: (cpuMs(roots) - before) / count, perSecond: count / seconds });
    }
    rows.push({ what, ...median(parts, ({ cpuMsEach }) => cpuMsEach), ...(novaMs ? { novaMs } : {}) });
    console.log(`${what}: ${parts.map(({ cpuMsEach }) => cpuMsEach.toFixed(2)).join(", ")} ms CPU each`);
  };
  let made = 0;
  const create = (networks: unknown) => (): Promise<unknown> =>
    rest.send(
      "POST",
      "/servers",
      { server: { name: `bench-${++made}`, imageRef: image, flavorRef: "1", networks } },
      "2.37",
    );
  const withPort = create([{ uuid: network }]);
  // Asks for one server that is still being built: what the waiting itself costs must not count.
  const active = async (): Promise<void> => {
    while (
      (await rest.json<{ servers: unknown[] }>("GET", "/servers?status=BUILD&limit=1")).servers.length > 0
    )
      await new Promise((resolve) => setTimeout(resolve, 100));
    const {
      servers: [failed],
    } = await rest.json<{ servers: { fault?: { message: string } }[] }>(
      "GET",
      "/servers/detail?status=ERROR&limit=1",
    );
    if (failed) throw new Error(`a server failed: ${JSON.stringify(failed.fault)}`);
    const { servers } = await rest.json<{ servers: unknown[] }>("GET", "/servers?status=ACTIVE&limit=1000");
    if (servers.length < made) throw new Error(`${servers.length} of ${made} servers are active`);
  };
  await many(20, 4, withPort);
  await active();
  const pss = pssMib(roots);
  // Warm: what counts is a running cloud, not the compiler's first minute.
  await many(280, 16, withPort);
  await active();
  await measure(
    "create → ACTIVE, fake hosts, concurrency 16, with a port",
    120,
    16,
    withPort,
    NOVA_MS.create,
    active,
  );
  await measure(
    "create → ACTIVE, fake hosts, concurrency 16, no network",
    100,
    16,
    create("none"),
    NOVA_MS.create,
    active,
  );
  await many(1000 - made, 16, withPort);
  await active();
  const [server] = (await rest.json<{ servers: { id: string }[] }>("GET", "/servers?limit=1")).servers;
  for (let warm = 0; warm < 3; warm++) await rest.send("GET", "/servers/detail");
  await measure(
    "GET /servers/detail, 1,000 servers",
    8,
    1,
    () => rest.send("GET", "/servers/detail"),
    NOVA_MS.detail1000,
  );
  await many(200, 8, () => rest.send("GET", `/servers/${server?.id ?? ""}`));
  await measure(
    "GET /servers/{id}",
    2000,
    8,
    () => rest.send("GET", `/servers/${server?.id ?? ""}`),
    NOVA_MS.show,
  );
  await many(200, 8, () => rest.send("GET", "/flavors/detail"));
  await measure("GET /flavors/detail", 3000, 8, () => rest.send("GET", "/flavors/detail"), NOVA_MS.flavors);
  rest.close();
  rows.push(...(await measureHop()));
  return { rows, pss, baselines };
}

async function imageOf(): Promise<{ id: string }> {
  const images = new Rest(`http://127.0.0.1:${cloud.port(9292)}`);
  await images.login(`http://127.0.0.1:${cloud.port(5000)}`, cloud.credentials("admin"));
  const {
    images: [first],
  } = await images.json<{ images: { id: string }[] }>("GET", "/v2/images");
  images.close();
  if (!first) throw new Error("the cloud has no image");
  return first;
}

/** A network of its own, large enough for a thousand ports. */
async function networkOf(): Promise<string> {
  const networks = new Rest(`http://127.0.0.1:${cloud.port(9696)}`);
  await networks.login(`http://127.0.0.1:${cloud.port(5000)}`, cloud.credentials("admin"));
  const { network } = await networks.json<{ network: { id: string } }>("POST", "/v2.0/networks", {
    network: { name: "bench" },
  });
  await networks.send("POST", "/v2.0/subnets", {
    subnet: { network_id: network.id, ip_version: 4, cidr: "10.99.0.0/16" },
  });
  await networks.send("PUT", `/v2.0/quotas/${networks.projectId()}`, { quota: { port: -1 } });
  networks.close();
  return network.id;
}

function render({ rows, pss, baselines }: Awaited<ReturnType<typeof bench>>): {
  text: string;
  markdown: string;
} {
  const baselineMs = median(baselines, (one) => one);
  const lines = rows.map((r) => [
    r.what,
    r.cpuMsEach.toFixed(2),
    r.perSecond.toFixed(1),
    (r.cpuMsEach / baselineMs).toFixed(1),
    r.novaMs ? String(r.novaMs) : "–",
    r.novaMs ? `1/${(r.novaMs / r.cpuMsEach).toFixed(0)}` : "–",
  ]);
  const head = ["operation", "CPU ms each", "per second", "× baseline", "Nova CPU ms", "of Nova"];
  const table = [
    `| ${head.join(" | ")} |`,
    `|${head.map(() => "---").join("|")}|`,
    ...lines.map((l) => `| ${l.join(" | ")} |`),
  ].join("\n");
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: projectRoot,
    encoding: "utf8",
  }).trim();
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown CPU"}, Node ${process.versions.node}`;
  const memory = `Summed PSS of all processes after 20 creates, PostgreSQL included: ${pss.total.toFixed(0)} MiB.`;
  const baseline = `Baseline: an Express handler that answers 1 KB of JSON, measured before each part: ${baselineMs.toFixed(2)} ms of CPU each (${Math.min(...baselines).toFixed(2)} to ${Math.max(...baselines).toFixed(2)}).
Each operation was measured ${PARTS} times; the row is the one in the middle.`;
  return {
    text: `${table}\n\n${memory}\n${baseline}`,
    markdown: `# Performance\n\nCPU time per operation, summed over all processes of the cloud (PostgreSQL included), with fsync, policy and tracing on; measured by \`npm run bench\`
at commit ${commit} on ${machine}. Nova's figures are of the real services on such a machine.\n\n${table}\n\n${memory}\n\n${baseline}\n`,
  };
}
