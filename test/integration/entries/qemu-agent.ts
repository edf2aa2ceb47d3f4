// An agent reduced to its driver: makes and starts one guest, says its process, and waits to be killed.
import { rootCtx } from "../../../pkg/kernel/index.js";
import { QemuDriver } from "../../../pkg/compute/drivers/qemu/index.js";
import type { QemuConfig } from "../../../pkg/compute/drivers/qemu/index.js";
import type { GuestSpec } from "../../../pkg/compute/driver.js";

const ctx = rootCtx({ requestId: "req-agent" });
const [config, spec] = process.argv.slice(2).map((text) => JSON.parse(text) as unknown) as [
  QemuConfig,
  GuestSpec,
];
const driver = new QemuDriver(config);
await driver.start(ctx);
await driver.define(ctx, spec);
await driver.powerOn(ctx, spec.instanceUuid);
process.stdout.write(`running ${(await driver.inspect(ctx, spec.instanceUuid))?.pid}\n`);
setInterval(() => {}, 60_000);
