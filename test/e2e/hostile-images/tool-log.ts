import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TOOLS = ["qemu-img", "qemu-system-x86_64", "qemu-nbd", "qemu-io", "qemu-storage-daemon"] as const;

/**
 * Stands in front of QEMU's programs in PATH, writes down how each is called, and calls it. Agents have no
 * other way to them, whatever part of theirs asks. The log is everybody's, as the programs run as other
 * users. What runs in a cage of bubblewrap's sees neither this folder nor the log: there the cage's script,
 * which bubblewrap is handed on its fifth descriptor, says what will be called.
 */
export class ToolLog {
  readonly folder = mkdtempSync(join(tmpdir(), "kilonova-tools-"));
  readonly #log = join(this.folder, "log");

  constructor() {
    mkdirSync(join(this.folder, "bin"));
    chmodSync(this.folder, 0o755);
    writeFileSync(this.#log, "");
    chmodSync(this.#log, 0o666);
    for (const tool of TOOLS) {
      const real = which(tool);
      if (real === "") continue;
      this.#put(tool, `#!/bin/sh\necho "${tool} $*" >> ${this.#log}\nexec ${real} "$@"\n`);
    }
    const bwrap = which("bwrap");
    if (bwrap !== "") this.#put("bwrap", cageScript(bwrap, this.folder, this.#log));
  }

  /** For the environment of what is to be watched. */
  get path(): string {
    return `${join(this.folder, "bin")}:${process.env["PATH"] ?? ""}`;
  }

  /** Calls so far, one a line. */
  get calls(): readonly string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8").split("\n").filter(Boolean) : [];
  }

  #put(name: string, script: string): void {
    writeFileSync(join(this.folder, "bin", name), script, { mode: 0o755 });
  }

  forget(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Writes down the caged command from the program's name on, without the quotes around its words. */
function cageScript(bwrap: string, folder: string, log: string): string {
  const names = TOOLS.join("\\|");
  return `#!/bin/sh
script=$(mktemp ${folder}/script-XXXXXX)
cat <&5 > "$script"
sed -n "s/'//g; s/^exec .* -- \\(\\(${names}\\) .*\\)/\\1/p" "$script" >> ${log}
exec 5< "$script"
rm "$script"
exec ${bwrap} "$@"
`;
}

function which(tool: string): string {
  try {
    return execFileSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).trim();
  } catch {
    return ""; // Not installed: nobody can call it.
  }
}
