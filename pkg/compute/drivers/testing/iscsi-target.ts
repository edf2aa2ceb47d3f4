import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../../../testkit/etcd.js";
import { until } from "../../../testkit/until.js";
import type { GuestVolume } from "../../driver.js";
import { aVolume } from "./a-spec.js";

const command = promisify(execFile);

/** Who may log in to a volume. */
export interface Chap {
  readonly user: string;
  /** Of 12 characters or more. */
  readonly password: string;
}

/** A volume that a real iSCSI target serves. */
export interface IscsiVolume {
  readonly volume: GuestVolume;
  /** What is on it. */
  readonly file: string;
}

interface Served {
  readonly target: string;
  readonly file: string;
  readonly chap: Chap | undefined;
}

/**
 * Debian's `tgt` on a port of this machine, as Cinder's LVM driver would run it: a target of its own for each
 * volume, with the volume as its LUN 1. It needs no rights.
 */
export class IscsiTarget {
  readonly #home = mkdtempSync(join(tmpdir(), "kilonova-tgt-"));
  readonly #port: number;
  readonly #served: Served[] = [];
  #process: ChildProcess | undefined;

  static async start(): Promise<IscsiTarget> {
    const target = new IscsiTarget(await freePort());
    await target.start();
    return target;
  }

  private constructor(port: number) {
    this.#port = port;
  }

  /** Starts it, after a `stop` with all volumes that it had, as large as they are by now. */
  async start(): Promise<void> {
    const portal = `portal=127.0.0.1:${this.#port}`;
    this.#process = spawn("tgtd", ["--foreground", "--iscsi", portal], { stdio: "ignore", env: this.#env() });
    await until(() => this.#tgtadm("--op", "show", "--mode", "target").then(() => true), {
      what: "the iSCSI target to listen",
    });
    for (const [index, served] of this.#served.entries()) await this.#serve(index + 1, served);
  }

  /** As if it died. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
    process.kill("SIGKILL");
    await once(process, "exit");
    // Left behind, it keeps the next one from starting.
    for (const name of ["control.0", "control.0.lock"]) rmSync(join(this.#home, name), { force: true });
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.#home, { recursive: true });
  }

  /** A blank volume, served already. */
  async volume(sizeBytes: number, chap?: Chap): Promise<IscsiVolume> {
    const volumeId = randomUUID();
    const dir = join(this.#home, "volumes");
    const file = join(dir, volumeId);
    mkdirSync(dir, { recursive: true });
    writeFileSync(file, "");
    truncateSync(file, sizeBytes);
    const served = { target: `iqn.2010-10.org.openstack:volume-${volumeId}`, file, chap };
    await this.#serve(this.#served.push(served), served);
    const portal = `127.0.0.1:${this.#port}`;
    const at = { type: "iscsi", portal, target: served.target, lun: 1, ...(chap ? { chap } : {}) } as const;
    return { volume: aVolume({ volumeId, connection: { readOnly: false, shared: false, at } }), file };
  }

  async #serve(tid: number, { target, file, chap }: Served): Promise<void> {
    const on = (...args: readonly string[]): Promise<unknown> => this.#tgtadm("--tid", String(tid), ...args);
    await on("--mode", "target", "--op", "new", "--targetname", target);
    await on("--mode", "logicalunit", "--op", "new", "--lun", "1", "--backing-store", file);
    if (chap) {
      const user = ["--user", chap.user];
      // Accounts are the server's, targets have them; there may be one of that name already.
      await this.#tgtadm("--mode", "account", "--op", "new", ...user, "--password", chap.password).catch(
        (error: unknown) => {
          if (!/already exists/.test(String(error))) throw error;
        },
      );
      await on("--mode", "account", "--op", "bind", ...user);
    }
    await on("--mode", "target", "--op", "bind", "--initiator-address", "ALL");
  }

  #tgtadm(...args: readonly string[]): Promise<unknown> {
    return command("tgtadm", ["--lld", "iscsi", ...args], { env: this.#env() });
  }

  #env(): NodeJS.ProcessEnv {
    return { ...process.env, TGT_IPC_SOCKET: join(this.#home, "control") };
  }
}
