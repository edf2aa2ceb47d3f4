import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCtx } from "../../pkg/kernel/index.js";
import type { GuestEvent, GuestSpec } from "../../pkg/compute/driver.js";
import { guestPaths } from "../../pkg/compute/drivers/qemu/guest-paths.js";
import type { GuestPaths } from "../../pkg/compute/drivers/qemu/guest-paths.js";
import { QemuDriver, qemuDefaults } from "../../pkg/compute/drivers/qemu/index.js";
import { aGuestSpec } from "../../pkg/compute/drivers/testing/a-spec.js";
import { buttonGuestDisk } from "../../pkg/compute/drivers/testing/button-guest.js";
import { driverConformance } from "../../pkg/compute/drivers/testing/conformance.js";
import type { DriverHarness } from "../../pkg/compute/drivers/testing/conformance.js";
import { until } from "../../pkg/compute/drivers/testing/until.js";

const ctx = rootCtx({ requestId: "req-qemu" });
const PATIENCE_MS = 60_000;

async function qemuHarness(): Promise<DriverHarness> {
  const home = mkdtempSync(join(tmpdir(), "kilonova-qemu-"));
  chmodSync(home, 0o755);
  const images = join(home, "images");
  mkdirSync(images);
  const image = (name: string, deaf: boolean): NonNullable<GuestSpec["rootImage"]> => {
    const path = join(images, name);
    const disk = buttonGuestDisk(deaf);
    writeFileSync(path, disk, { mode: 0o444 });
    return { imageId: name, path, virtualSizeBytes: disk.length };
  };
  const [listening, deaf] = [image("listening.raw", false), image("deaf.raw", true)];
  const events: GuestEvent[] = [];
  const stateDir = join(home, "guests");
  const open = async (): Promise<QemuDriver> => {
    const driver = new QemuDriver({ ...qemuDefaults, stateDir, hypervisorHostname: "host1", hostIp: "127.0.0.1", imageDirs: [images], share: 0.5 });
    driver.onEvent((event) => events.push(event));
    await driver.start(ctx);
    return driver;
  };
  let driver = await open();
  const withSocket = (spec: GuestSpec): GuestSpec => ({
    ...spec, interfaces: spec.interfaces.map((nic) => ({ ...nic, socketPath: driver.interfaceSocketPath(spec.instanceUuid, nic.portId) })),
  });
  const paths = (uuid: string): GuestPaths => {
    const socketDir = driver.interfaceSocketPath(uuid, "x").split("/").slice(0, -2).join("/");
    return guestPaths(stateDir, socketDir, uuid);
  };
  const say = (uuid: string, order: string): Promise<void> => new Promise((resolve, reject) => {
    const serial = connect(paths(uuid).serialSocket, () => serial.end(order, () => resolve()));
    serial.on("error", reject);
  });
  return {
    events, driver: () => driver,
    aSpec: async (over) => withSocket(aGuestSpec({ rootImage: listening, rootGib: 1, ...over })),
    aDeafSpec: async () => withSocket(aGuestSpec({ rootImage: deaf, rootGib: 1 })),
    booted: async (uuid) => { await until("boot", PATIENCE_MS, () => readFileSync(paths(uuid).consoleLog, "latin1").endsWith("boot\n")); },
    restart: async (meanwhile) => { await driver.close(); await meanwhile?.(); driver = await open(); },
    guestPowersOff: (uuid) => say(uuid, "p"),
    guestReboots: (uuid) => say(uuid, "r"),
    guestCrashes: async (uuid) => { process.kill((await driver.inspect(ctx, uuid))?.pid ?? 0, "SIGKILL"); },
    dispose: async () => {
      for (const { instanceUuid } of await driver.list(ctx)) await driver.remove(ctx, instanceUuid);
      await driver.close();
      rmSync(home, { recursive: true });
    },
  };
}

driverConformance("qemu", qemuHarness, PATIENCE_MS);
