import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import type { NetConnectOpts } from "node:net";
import { join } from "node:path";
import { freePort } from "../../../testkit/etcd.js";
import { until } from "../../../testkit/until.js";
import type { GuestVolume } from "../../driver.js";
import { aVolume } from "./a-spec.js";

/** A volume that a real NBD server serves, as a Block Storage service would. */
export interface NbdVolume {
  readonly volume: GuestVolume;
  /** What is on it. */
  readonly file: string;
  start(): Promise<void>;
  /** On a port of this machine, instead. @returns the port */
  startTcp(): Promise<number>;
  /** As if the service died. */
  stop(): Promise<void>;
}

/** A blank volume, served already; on a UNIX socket in a folder of its own, for its group. */
export async function nbdVolume(home: string, sizeBytes: number): Promise<NbdVolume> {
  const volumeId = randomUUID();
  const dir = join(home, "volumes", volumeId);
  const [file, unix] = [join(dir, "volume.raw"), join(dir, "nbd.sock")];
  mkdirSync(dir, { recursive: true });
  writeFileSync(file, "");
  truncateSync(file, sizeBytes);
  let server: ChildProcess | undefined;
  const volume = {
    volume: aVolume({
      volumeId,
      connection: { readOnly: false, shared: false, at: { type: "nbd", unix, exportName: "exported" } },
    }),
    file,
    start: async () => {
      rmSync(unix, { force: true });
      server = spawn("qemu-nbd", ["-t", "-e", "0", "-k", unix, "-x", "exported", "-f", "raw", file], {
        stdio: "ignore",
      });
      await until(() => listens({ path: unix }), { what: "the NBD server to listen" });
      chmodSync(unix, 0o660);
    },
    startTcp: async () => {
      await volume.stop();
      const port = await freePort();
      server = spawn(
        "qemu-nbd",
        ["-t", "-e", "0", "-b", "localhost", "-p", String(port), "-x", "exported", "-f", "raw", file],
        { stdio: "ignore" },
      );
      await until(() => listens({ port, host: "localhost" }), { what: "the NBD server to listen" });
      return port;
    },
    stop: async () => {
      if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
      server.kill("SIGKILL");
      await once(server, "exit");
    },
  } satisfies NbdVolume;
  await volume.start();
  return volume;
}

const listens = (to: NetConnectOpts): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(to, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on("error", () => resolve(false));
  });
