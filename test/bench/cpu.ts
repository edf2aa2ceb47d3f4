import { readFileSync, readdirSync } from "node:fs";

const TICKS_PER_SECOND = 100;

interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly cpuMs: number;
}

function factsOf(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // Own time and that of ended children: PostgreSQL's backends come and go.
    const ticks = [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0);
    return { pid, parent: Number(fields[1]), cpuMs: ticks * (1000 / TICKS_PER_SECOND) };
  } catch {
    return undefined;
  }
}

/** All processes of the machine that descend from one of the roots, the roots included. */
function family(roots: readonly number[]): readonly ProcessFacts[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => factsOf(Number(name)) ?? []);
  const members = new Set(roots);
  for (let grown = true; grown;) {
    grown = false;
    for (const p of all)
      if (!members.has(p.pid) && members.has(p.parent)) {
        members.add(p.pid);
        grown = true;
      }
  }
  return all.filter((p) => members.has(p.pid));
}

/** CPU time that the processes and their children have used so far, in ms. Resolution 10 ms. */
export const cpuMs = (roots: readonly number[]): number => family(roots).reduce((sum, p) => sum + p.cpuMs, 0);

/** Proportional set size of the processes and their children, in MiB. */
export function pssMib(roots: readonly number[]): {
  readonly total: number;
  readonly parts: readonly { readonly name: string; readonly mib: number }[];
} {
  const parts = family(roots).flatMap(({ pid }) => {
    try {
      const kib = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
      return [{ name: readFileSync(`/proc/${pid}/comm`, "utf8").trim(), mib: kib / 1024 }];
    } catch {
      return [];
    }
  });
  return { total: parts.reduce((sum, p) => sum + p.mib, 0), parts };
}
