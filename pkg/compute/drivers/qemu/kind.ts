import { z } from "zod";
import { driverKind } from "../driver-kind.js";
import { Isolation, isolationModes } from "../host/isolation.js";
import { runTool } from "../host/run-tool.js";
import { configDriveFormats } from "./config-drive.js";
import { qemuDefaults } from "./config.js";
import { QemuDriver } from "./driver.js";

export const qemu = driverKind({
  does: "runs real machines",
  bootsImages: true,
  options: {
    virtType: z
      .enum(["tcg", "kvm"])
      .default("tcg")
      .describe("How QEMU runs guests. `kvm` is never chosen because /dev/kvm exists: say so."),
    guestIsolation: z
      .enum(isolationModes)
      .default("auto")
      .describe(
        "How well guests must be shut in: `strict` refuses to start where one of user, capabilities, seccomp, or whatever namespaces and control groups the kernel allows, is missing; `best-effort` goes on with what there is and says what is missing; `auto` is `strict` for root and `best-effort` for others.",
      ),
    guestUidFirst: z
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 2)
      .default(0)
      .describe(
        "First of the users that guests get, one each, by number; needs no entry in /etc/passwd and must belong to nobody else. 0 takes 1900000000, or less in a user namespace with few ids.",
      ),
    guestUidCount: z
      .number()
      .int()
      .min(1)
      .max(2 ** 31)
      .default(10_000)
      .describe("How many users there are for the guests of this machine."),
    machineType: z.string().default("").describe("QEMU machine type; empty pins the driver's default."),
    detachAttempts: z
      .number()
      .int()
      .min(1)
      .max(100)
      .default(qemuDefaults.detachAttempts)
      .describe("How often a running guest is asked to let go of a device before detaching fails."),
    detachTimeoutMs: z
      .number()
      .int()
      .min(100)
      .max(600_000)
      .default(qemuDefaults.detachTimeoutMs)
      .describe("How long a guest may take each time."),
    iscsiInitiator: z
      .string()
      .default("")
      .describe(
        "Name by which this host is known to iSCSI targets; empty makes one of the host's name. Needs the package qemu-block-extra.",
      ),
    volumeFolders: z
      .array(z.string().startsWith("/"))
      .default([])
      .describe(
        "Folders below which volumes may be files or block devices of this host: mounted NFS exports (`nfs`), volume groups (`local`). None: such volumes are refused.",
      ),
    configDriveFormat: z
      .enum(configDriveFormats)
      .default("iso9660")
      .describe("File system of config drives; `vfat` needs the packages dosfstools and mtools."),
    snapshotsAtOnce: z
      .number()
      .int()
      .min(1)
      .max(100)
      .default(5)
      .describe("Disks of servers that are copied at once for images; others wait."),
    snapshotImageFormat: z
      .enum(["qcow2", "raw"])
      .default("qcow2")
      .describe("Format of the images that are made of servers: `qcow2` holds no more than what is used."),
  },
  async open(host, options) {
    const isolationOptions = {
      mode: options.guestIsolation,
      uids: { first: options.guestUidFirst, count: options.guestUidCount },
    };
    const isolation = await Isolation.open(isolationOptions);
    const config = {
      ...qemuDefaults,
      isolation: isolationOptions,
      stateDir: host.guestsDir,
      hypervisorHostname: host.name,
      hostIp: host.address,
      share: host.share,
      virtType: options.virtType,
      configDriveFormat: options.configDriveFormat,
      snapshotFormat: options.snapshotImageFormat,
      snapshotsAtOnce: options.snapshotsAtOnce,
      iscsiInitiator: options.iscsiInitiator || `iqn.2010-10.org.openstack:${host.name}`,
      volumeFolders: options.volumeFolders,
      detachAttempts: options.detachAttempts,
      detachTimeoutMs: options.detachTimeoutMs,
      imageDirs: [host.imagesDir],
      ...(options.machineType ? { pinnedMachines: { q35: options.machineType } } : {}),
    };
    return { driver: new QemuDriver(config, runTool, isolation), isolation };
  },
});
