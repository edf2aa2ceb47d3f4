import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { rootCtx } from "../../kernel/index.js";
import { run } from "../run.js";

export interface TestGuestOptions {
  /**
   * Scratch folder of this guest; its disk overlay, sockets and config drive go here and stay for a second
   * start.
   */
  readonly dir: string;
  readonly qcow2Path: string;
  readonly nics?: readonly { readonly mac: string; readonly socketPath: string }[];
  readonly memoryMib?: number;
  /** Files of a config drive, path → bytes. */
  readonly configDrive?: ReadonlyMap<string, Uint8Array>;
}

/** A real machine under test; everything is said and heard through its serial console. */
export interface TestGuest {
  /** All console output so far. */
  console(): string;
  /**
   * Resolves with the match as soon as the console shows it. @throws after `timeoutMs` (120 s), with the
   * console's end
   */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  /** Runs a command line in the root shell (after BOOT-DONE) and gives its output. One at a time. */
  shell(command: string, timeoutMs?: number): Promise<{ output: string; status: number }>;
  /** Sends one QMP command on the machine's monitor. */
  qmp(execute: string, args?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Resolves when the machine has gone. */
  readonly exited: Promise<void>;
  /** Pulls the plug. */
  kill(): Promise<void>;
}

/** Starts the machine with TCG and the test guest's disk; does not wait for it to boot. */
export async function startGuest(options: TestGuestOptions): Promise<TestGuest> {
  const { dir } = options;
  await mkdir(dir, { recursive: true });
  const disk = join(dir, "disk.qcow2");
  const ctx = rootCtx({ requestId: "req-test" });
  await run(ctx, "qemu-img", ["info", disk]).catch(() =>
    run(ctx, "qemu-img", ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", options.qcow2Path, disk, "1G"]),
  );
  const drive = options.configDrive ? await makeConfigDrive(dir, options.configDrive) : undefined;
  for (const name of ["serial.sock", "qmp.sock"]) await rm(join(dir, name), { force: true });
  // It dies with the test that started it, however that ends.
  const child = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "qemu-system-x86_64", ...qemuArguments(options, disk, drive)],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  return attach(child, dir);
}

function qemuArguments(options: TestGuestOptions, disk: string, drive: string | undefined): string[] {
  const at = (name: string): string => join(options.dir, name);
  return [
    "-machine",
    "q35",
    "-accel",
    "tcg",
    "-m",
    String(options.memoryMib ?? 96),
    "-smp",
    "1",
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-chardev",
    `socket,id=qmp,path=${at("qmp.sock")},server=on,wait=off`,
    "-mon",
    "chardev=qmp,mode=control",
    "-chardev",
    `socket,id=serial,path=${at("serial.sock")},server=on,wait=on`,
    "-serial",
    "chardev:serial",
    "-blockdev",
    `driver=qcow2,node-name=root,file.driver=file,file.filename=${disk}`,
    "-device",
    "virtio-blk-pci,drive=root,bootindex=1,serial=root",
    ...(drive === undefined
      ? []
      : [
          "-blockdev",
          `driver=raw,read-only=on,node-name=config,file.driver=file,file.filename=${drive}`,
          "-device",
          "virtio-scsi-pci,id=scsi",
          "-device",
          "scsi-cd,bus=scsi.0,drive=config",
        ]),
    ...(options.nics ?? []).flatMap((nic, i) => [
      "-netdev",
      `stream,id=net${i},server=on,addr.type=unix,addr.path=${nic.socketPath}`,
      "-device",
      `virtio-net-pci,netdev=net${i},mac=${nic.mac},romfile=`,
    ]),
    "-device",
    "virtio-rng-pci",
    // An empty slot, `spare`, into which a test may plug something while the guest runs.
    "-device",
    "pcie-root-port,id=spare,chassis=1,slot=1,bus=pcie.0",
  ];
}

async function makeConfigDrive(dir: string, files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const tree = join(dir, "config-drive");
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), bytes);
  }
  const iso = join(dir, "config.iso");
  await run(rootCtx({ requestId: "req-test" }), "xorriso", [
    "-as",
    "mkisofs",
    "-quiet",
    "-J",
    "-r",
    "-V",
    "config-2",
    "-o",
    iso,
    tree,
  ]);
  return iso;
}

async function attach(child: ChildProcess, dir: string): Promise<TestGuest> {
  let complaints = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    complaints += bytes.toString();
  });
  const exited = once(child, "exit").then(() => undefined);
  const serial = await connectWhenReady(
    join(dir, "serial.sock"),
    () => child.exitCode !== null,
    () => complaints,
  );
  let text = "";
  const listeners = new Set<() => void>();
  serial.on("data", (bytes: Buffer) => {
    text += bytes.toString("latin1");
    for (const listener of listeners) listener();
  });
  serial.on("error", () => undefined); // the machine's end is seen by `exited`

  const search = (pattern: RegExp, from: number, timeoutMs: number): Promise<RegExpMatchArray> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const match = text.slice(from).match(pattern);
        if (match) {
          finish();
          resolve(match);
        }
      };
      const fail = (why: string): void => {
        finish();
        reject(
          new Error(
            `${why} while waiting for ${String(pattern)}; console ends: ${text.slice(-600)} ${complaints}`,
          ),
        );
      };
      const onEnd = (): void => fail("the machine ended");
      const timer = setTimeout(() => fail("timeout"), timeoutMs);
      const finish = (): void => {
        clearTimeout(timer);
        listeners.delete(check);
        serial.off("close", onEnd);
      };
      listeners.add(check);
      serial.once("close", onEnd);
      check();
    });

  return {
    console: () => text,
    waitFor: (pattern, timeoutMs = 240_000) => search(pattern, 0, timeoutMs),
    shell: async (command, timeoutMs = 120_000) => {
      const from = text.length;
      const mark = randomBytes(4).toString("hex");
      // The quotes keep the echo of the typed line from looking like the marker itself.
      serial.write(`echo "B""${mark}"; ${command}; echo "E""${mark} $?"\n`);
      const match = await search(new RegExp(`B${mark}\\r\\n([^]*?)E${mark} (\\d+)`), from, timeoutMs);
      return { output: (match[1] ?? "").replaceAll("\r", "").trim(), status: Number(match[2]) };
    },
    qmp: (execute, args) => qmpOnce(join(dir, "qmp.sock"), execute, args),
    exited,
    kill: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await exited;
      }
    },
  };
}

async function connectWhenReady(path: string, gone: () => boolean, why: () => string): Promise<Socket> {
  for (const until = Date.now() + 120_000; ;) {
    const socket = connect(path);
    const connected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    if (connected) return socket;
    if (gone() || Date.now() > until) throw new Error(`no console at ${path}: ${why()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function qmpOnce(
  path: string,
  execute: string,
  args: Readonly<Record<string, unknown>> | undefined,
): Promise<void> {
  const socket = connect(path);
  let received = "";
  const answer = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const onData = (): void => {
        const line = received.split("\n").find((candidate) => /"(QMP|return|error)"/.test(candidate));
        if (line === undefined) return;
        received = received.slice(received.indexOf(line) + line.length);
        socket.off("data", onData);
        if (line.includes('"error"')) reject(new Error(line));
        else resolve();
      };
      socket.on("data", onData);
      socket.once("error", reject);
    });
  socket.on("data", (bytes: Buffer) => {
    received += bytes.toString();
  });
  try {
    await answer();
    for (const request of [
      { execute: "qmp_capabilities" },
      { execute, ...(args ? { arguments: args } : {}) },
    ]) {
      socket.write(`${JSON.stringify(request)}\n`);
      await answer();
    }
  } finally {
    socket.destroy();
  }
}
