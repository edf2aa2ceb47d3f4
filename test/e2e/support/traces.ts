import { readFileSync, readdirSync } from "node:fs";

/** Command lines of QEMU processes that belong to a server. */
export function qemuProcesses(serverId: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return command.includes("qemu-system") && command.includes(serverId);
      } catch {
        return false; // ended meanwhile
      }
    });
}

/** Files and folders below `dir` whose path names the server. */
export function filesNaming(dir: string, serverId: string): readonly string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = `${path}/${entry.name}`;
      if (entry.name.includes(serverId)) found.push(child);
      if (entry.isDirectory()) visit(child);
    }
  };
  visit(dir);
  return found;
}
