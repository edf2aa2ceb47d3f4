import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCtx } from "../../../kernel/index.js";
import { until } from "../../../testkit/until.js";
import type { GuestEvent, GuestSpec, PreparedImage } from "../../driver.js";
import { guestPaths } from "../qemu/guest-paths.js";
import type { GuestPaths } from "../qemu/guest-paths.js";
import { QemuDriver, qemuDefaults } from "../qemu/index.js";
import type { QemuConfig } from "../qemu/index.js";
import { aGuestSpec, aRescueSpec } from "./a-spec.js";
import { buttonGuestDisk } from "./button-guest.js";
import { nbdVolume } from "./nbd-volume.js";
import type { NbdVolume } from "./nbd-volume.js";
import type { DriverHarness } from "./conformance.js";

/** A busy machine under emulation: nothing takes this long unless it is broken. */
export const PATIENCE_MS = 120_000;

const ctx = rootCtx({ requestId: "req-qemu-host" });

/** A QEMU host of its own in a scratch folder, with the one-sector guest as its image. */
export interface QemuHost extends DriverHarness {
  readonly home: string;
  readonly config: QemuConfig;
  driver(): QemuDriver;
  paths(instanceUuid: string): GuestPaths;
  console(instanceUuid: string): string;
  /** A volume of one MiB, or more, at a server of its own. */
  served(sizeBytes?: number): Promise<NbdVolume>;
  image(name: string, bytes: Uint8Array): PreparedImage;
}

/** @param below  further folders between the scratch folder and the state folder, to make its path long */
export async function qemuHost(over: Partial<QemuConfig> = {}, below = ""): Promise<QemuHost> {
  const home = mkdtempSync(join(tmpdir(), "kilonova-qemu-"));
  chmodSync(home, 0o755);
  const images = join(home, "images");
  mkdirSync(images);
  const stateDir = join(home, below, "guests");
  const config: QemuConfig = {
    ...qemuDefaults,
    stateDir,
    hypervisorHostname: "host1",
    hostIp: "127.0.0.1",
    imageDirs: [images],
    share: 0.5,
    ...over,
  };
  const events: GuestEvent[] = [];
  const open = async (): Promise<QemuDriver> => {
    const opened = new QemuDriver(config);
    opened.onEvent((event) => events.push(event));
    await opened.start(ctx);
    return opened;
  };
  let driver = await open();
  const volumes: NbdVolume[] = [];
  const served = async (sizeBytes = 1024 * 1024): Promise<NbdVolume> => {
    const volume = await nbdVolume(home, sizeBytes);
    volumes.push(volume);
    return volume;
  };
  const runDir = join(driver.interfaceSocketPath("any", "any"), "../..");
  const paths = (uuid: string): GuestPaths => guestPaths(stateDir, runDir, uuid);
  const image = (name: string, bytes: Uint8Array): PreparedImage => {
    const path = join(images, name);
    writeFileSync(path, bytes, { mode: 0o444 });
    return { imageId: name, path, virtualSizeBytes: bytes.length };
  };
  const [listening, deaf, rescue] = [
    image("listening.raw", buttonGuestDisk()),
    image("deaf.raw", buttonGuestDisk(true)),
    image("rescue.raw", buttonGuestDisk(false, "rescue boot\n")),
  ];
  const withSockets = (spec: GuestSpec): GuestSpec => ({
    ...spec,
    interfaces: spec.interfaces.map((nic) => ({
      ...nic,
      socketPath: driver.interfaceSocketPath(spec.instanceUuid, nic.portId),
    })),
  });
  const console = (uuid: string): string => readFileSync(paths(uuid).consoleLog, "latin1");
  return {
    home,
    config,
    events,
    paths,
    image,
    console,
    served,
    aVolume: async () => (await served()).volume,
    driver: () => driver,
    aSpec: async (more) => withSockets(aGuestSpec({ rootImage: listening, rootGib: 1, ...more })),
    aRescue: async (more) => aRescueSpec({ image: rescue, ...more }),
    aDeafSpec: async () => withSockets(aGuestSpec({ rootImage: deaf, rootGib: 1 })),
    booted: async (uuid) => {
      await until(() => console(uuid).endsWith("boot\n"), {
        timeoutMs: PATIENCE_MS,
        what: "the guest to boot",
      });
    },
    restart: async (meanwhile) => {
      await driver.close();
      try {
        await meanwhile?.();
      } finally {
        driver = await open();
      }
    },
    guestPowersOff: (uuid) => say(paths(uuid).serialSocket, "p"),
    guestReboots: (uuid) => say(paths(uuid).serialSocket, "r"),
    guestCrashes: async (uuid) => {
      process.kill((await driver.inspect(ctx, uuid))?.pid ?? 0, "SIGKILL");
    },
    dispose: async () => {
      for (const { instanceUuid } of await driver.list(ctx)) await driver.remove(ctx, instanceUuid);
      await driver.close();
      for (const volume of volumes) await volume.stop();
      rmSync(home, { recursive: true });
    },
  };
}

/**
 * Gives an order over the serial port and stays until the guest answers: QEMU may drop what came just before
 * a hang-up.
 */
function say(serialSocket: string, order: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const serial = connect(serialSocket, () => serial.write(order));
    serial.on("error", reject);
    serial.on("data", () => serial.destroy());
    serial.on("close", () => resolve());
  });
}
