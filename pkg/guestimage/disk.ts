import { mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ctx } from "../kernel/index.js";
import { run } from "./run.js";
import { mbrPath } from "./tools.js";

const sectorBytes = 512;
const mib = 1 << 20;
const persistMib = 8;

/** Where the partitions of the disk lie, in bytes. */
export interface DiskLayout {
  readonly bootOffset: number;
  readonly bootBytes: number;
  readonly persistOffset: number;
  readonly totalBytes: number;
}

/**
 * Boot partition with 1 MiB to spare after a 1 MiB gap, then the persistent partition; all on MiB borders.
 */
export function diskLayout(payloadBytes: number): DiskLayout {
  const bootBytes = Math.ceil((payloadBytes + mib) / mib) * mib;
  const bootOffset = mib;
  const persistOffset = bootOffset + bootBytes;
  return { bootOffset, bootBytes, persistOffset, totalBytes: persistOffset + persistMib * mib };
}

/**
 * The kernel's command line, as a value here because it explains itself badly: `no_timer_check` keeps a
 * starved emulated machine from panicking over its timer, and the other two save a fifth of the boot time of
 * a guest that has no secrets.
 */
const kernelArguments = "console=tty0 console=ttyS0 quiet panic=1 no_timer_check nokaslr mitigations=off";

const bootConfig = `SERIAL 0 115200
PROMPT 0
TIMEOUT 0
DEFAULT guest
LABEL guest
  KERNEL vmlinuz
  INITRD initrd.img
  APPEND ${kernelArguments}
`;

/**
 * Makes a BIOS-bootable disk without root rights or loop devices: MBR, FAT16 with syslinux, ext4 labelled
 * `persist`.
 * @param workDir  scratch folder
 * @param outFile  a compressed qcow2 image is written here
 */
export async function buildDisk(
  ctx: Ctx,
  files: { kernel: string; initrd: string },
  workDir: string,
  outFile: string,
): Promise<void> {
  const layout = diskLayout((await stat(files.kernel)).size + (await stat(files.initrd)).size);
  const raw = join(workDir, "disk.raw");
  await makePartitions(ctx, raw, layout);
  await makeBootPartition(ctx, raw, layout, files, workDir);
  const empty = join(workDir, "persist");
  await mkdir(empty);
  await run(ctx, "mke2fs", [
    "-q",
    "-F",
    "-t",
    "ext4",
    "-L",
    "persist",
    "-O",
    "^has_journal",
    "-E",
    `offset=${layout.persistOffset},nodiscard,root_owner=0:0`,
    "-d",
    empty,
    raw,
    `${persistMib}m`,
  ]);
  await run(ctx, "qemu-img", ["convert", "-c", "-f", "raw", "-O", "qcow2", raw, outFile]);
}

async function makePartitions(ctx: Ctx, raw: string, layout: DiskLayout): Promise<void> {
  const file = await open(raw, "w");
  await file.truncate(layout.totalBytes);
  await file.close();
  const sectors = (bytes: number): number => bytes / sectorBytes;
  await run(ctx, "sfdisk", ["--quiet", raw], {
    stdin: [
      "label: dos",
      "label-id: 0x6b696c6f",
      `start=${sectors(layout.bootOffset)}, size=${sectors(layout.bootBytes)}, type=e, bootable`,
      `start=${sectors(layout.persistOffset)}, size=${sectors(persistMib * mib)}, type=83`,
      "",
    ].join("\n"),
  });
  const disk = await open(raw, "r+");
  // beyond byte 440 lies the partition table
  await disk.write((await readFile(mbrPath)).subarray(0, 440), 0, undefined, 0);
  await disk.close();
}

async function makeBootPartition(
  ctx: Ctx,
  raw: string,
  layout: DiskLayout,
  files: { kernel: string; initrd: string },
  workDir: string,
): Promise<void> {
  await run(ctx, "mkfs.fat", [
    "-F",
    "16",
    "-n",
    "GUESTBOOT",
    "-i",
    "6b696c6f",
    "--invariant",
    "--offset",
    String(layout.bootOffset / sectorBytes),
    raw,
    String(layout.bootBytes / 1024),
  ]);
  const config = join(workDir, "syslinux.cfg");
  await writeFile(config, bootConfig);
  const partition = `${raw}@@${layout.bootOffset}`;
  const env = { MTOOLS_SKIP_CHECK: "1" };
  for (const [source, name] of [
    [files.kernel, "vmlinuz"],
    [files.initrd, "initrd.img"],
    [config, "syslinux.cfg"],
  ] as const) {
    await run(ctx, "mcopy", ["-i", partition, source, `::${name}`], { env });
  }
  await run(ctx, "syslinux", ["--install", "--offset", String(layout.bootOffset), raw], { env });
}
