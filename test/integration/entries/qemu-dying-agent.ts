// An agent reduced to its driver that suspends or resumes a guest, and dies when the first bytes have passed.
import { rootCtx } from "../../../pkg/kernel/index.js";
import { QemuDriver } from "../../../pkg/compute/drivers/qemu/index.js";
import type { QemuConfig } from "../../../pkg/compute/drivers/qemu/index.js";

const ctx = rootCtx({ requestId: "req-agent" });
const [config, instanceUuid = "", what] = process.argv.slice(2);
const driver = new QemuDriver(JSON.parse(config ?? "") as QemuConfig);
await driver.start(ctx);
process.stdout.write("started\n");
await driver[what === "resume" ? "resume" : "suspend"](ctx, instanceUuid, () => {
  process.kill(process.pid, "SIGKILL");
});
