// `npm run soak -- --minutes 20 --seed N`: random life on fake and real guests while processes are killed.
// README.md beside this file says what is done and what must hold in the end.
import { parseArgs } from "node:util";
import { buildGuestImage } from "../../pkg/guestimage/index.js";
import { rootCtx } from "../../pkg/kernel/index.js";
import { packageRoot } from "../../pkg/platform/service/index.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { join } from "node:path";
import { soak } from "./run.js";
import { oneProcess } from "./one-process.js";
import { rendered, renderedOneProcess } from "./report.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    fake: { type: "string", default: "30" },
    hosts: { type: "string", default: "3" },
    qemu: { type: "string", default: "4" },
    callers: { type: "string", default: "6" },
    patience: { type: "string", default: "1" },
    "one-process": { type: "boolean", default: false },
    /** With `--one-process`, instead of minutes. */
    actions: { type: "string", default: "300" },
    /** A guest image that is built already. */
    "guest-image": { type: "string" },
  },
});
const real = Number(values.qemu);
// Whoever ends it ends what it has started: that hangs on the exit.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
// Some of what is awaited keeps no process alive by itself.
setInterval(() => {}, 60_000);
if (values["one-process"]) {
  const report = await oneProcess({
    seed: Number(values.seed),
    actions: Number(values.actions),
    servers: 8,
    tell: (line) => console.log(line),
  });
  console.log(renderedOneProcess(Number(values.seed), report));
  process.exit(report.wrong.length === 0 ? 0 : 1);
}
const report = await soak({
  seed: Number(values.seed),
  seconds: Number(values.minutes) * 60,
  fakeServers: Number(values.fake),
  fakeHosts: Number(values.hosts),
  realServers: real,
  callers: Number(values.callers),
  patience: Number(values.patience),
  ...(real > 0 ? { guestImage: values["guest-image"] ?? (await guestImage()) } : {}),
  tell: (line) => console.log(line),
});
console.log(rendered(Number(values.seed), report));
process.exit(report.wrong.length === 0 ? 0 : 1);

async function guestImage(): Promise<string> {
  const ctx = rootCtx({ requestId: "req-soak" });
  const built = await buildGuestImage(ctx, {
    outDir: join(processFolder("soak"), "guestimage"),
    cacheDir: join(packageRoot(), ".cache", "guestimage", "packages"),
    log: ctx.log,
  });
  return built.qcow2Path;
}
