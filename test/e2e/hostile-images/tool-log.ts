import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TOOLS = ["qemu-img", "qemu-system-x86_64", "qemu-nbd", "qemu-io", "qemu-storage-daemon"] as const;

/**
 * Stands in front of QEMU's programs in PATH, writes down how each is called, and calls it. Agents have no
 * other way to them, whatever part of theirs asks. The log is everybody's, as the programs run as other
 * users.
 */
export class ToolLog {
  readonly folder = mkdtempSync(join(tmpdir(), "kilonova-tools-"));
  readonly #log = join(this.folder, "log");

  constructor() {
    const bin = join(this.folder, "bin");
    mkdirSync(bin);
    chmodSync(this.folder, 0o755);
    writeFileSync(this.#log, "");
    chmodSync(this.#log, 0o666);
    for (const tool of TOOLS) {
      const real = which(tool);
      if (real === "") continue;
      writeFileSync(join(bin, tool), `#!/bin/sh\necho "${tool} $*" >> ${this.#log}\nexec ${real} "$@"\n`, {
        mode: 0o755,
      });
    }
  }

  /** For the environment of what is to be watched. */
  get path(): string {
    return `${join(this.folder, "bin")}:${process.env["PATH"] ?? ""}`;
  }

  /** Calls so far, one a line. */
  get calls(): readonly string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8").split("\n").filter(Boolean) : [];
  }

  forget(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function which(tool: string): string {
  try {
    return execFileSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).trim();
  } catch {
    return ""; // Not installed: nobody can call it.
  }
}
