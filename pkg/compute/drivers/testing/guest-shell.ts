import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { testGuestImage } from "../../../guestimage/testing/test-image.js";
import { until } from "../../../testkit/until.js";
import type { GuestVolume } from "../../driver.js";
import { PATIENCE_MS } from "./qemu-host.js";

const timeoutMs = PATIENCE_MS;

/** The Linux guest's disk, raw. @cost a second; it is built once in a checkout */
export async function linuxGuestDisk(): Promise<Uint8Array> {
  const { qcow2Path } = await testGuestImage();
  const raw = join(mkdtempSync(join(tmpdir(), "kilonova-guest-")), "raw");
  try {
    execFileSync("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", qcow2Path, raw]);
    return readFileSync(raw);
  } finally {
    rmSync(dirname(raw), { recursive: true });
  }
}

/** The shell of a Linux guest, on its serial console, and what it sees of its volumes. */
export class GuestShell {
  readonly #serialSocket: string;

  constructor(serialSocket: string) {
    this.#serialSocket = serialSocket;
  }

  /** Runs a line; fails when the line does. @returns what it printed */
  run(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const mark = randomBytes(4).toString("hex");
      const serial = connect(this.#serialSocket, () =>
        serial.write(`\n{ ${line}; }; echo "${mark} ""done $?"\n`),
      );
      const timer = setTimeout(() => serial.destroy(new Error(`no answer to ${line}: ${said}`)), timeoutMs);
      let said = "";
      serial.on("data", (bytes: Buffer) => {
        said += bytes.toString("latin1");
        const [, text, status] = new RegExp(`\\n([^]*)${mark} done (\\d+)`).exec(said) ?? [];
        if (status === undefined) return;
        serial.destroy();
        if (status === "0") resolve(text ?? "");
        else reject(new Error(`${line}: ${said}`));
      });
      serial.on("error", reject);
      serial.on("close", () => clearTimeout(timer));
    });
  }

  /** Name of the guest's disk with this volume now, if any. Guests see 20 characters of its id. */
  async diskOf({ volumeId }: GuestVolume): Promise<string | undefined> {
    const line = `for d in /sys/block/vd*; do [ "$(cat $d/serial)" = "${volumeId.slice(0, 20)}" ] && echo "disk="\${d##*/}; done; true`;
    return /disk=(vd\w)\b/.exec(await this.run(line))?.[1];
  }

  /** Waits until the guest sees the volume. */
  seenAs(volume: GuestVolume): Promise<string> {
    return until(() => this.diskOf(volume), { timeoutMs, what: "the guest to see the volume" });
  }

  /** Writes a text to where a sector begins, and waits until it is on the disk. */
  write(disk: string, sector: number, text: string): Promise<string> {
    return this.run(`printf '${text}' | dd of=/dev/${disk} bs=512 seek=${sector} conv=fsync 2>/dev/null`);
  }

  async sectorsOf(disk: string): Promise<string | undefined> {
    return /^(\d+)/m.exec(await this.run(`cat /sys/block/${disk}/size`))?.[1];
  }
}

/** What is on a volume whose bytes are in a file, from where a sector begins. */
export const onVolume = ({ file }: { readonly file: string }, sector: number, bytes: number): string =>
  readFileSync(file).toString("latin1", sector * 512, sector * 512 + bytes);
