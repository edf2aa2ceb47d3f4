/** The host's processors in the form that Nova's `cpu_info` has. */
export interface CpuInfo {
  readonly arch: string;
  readonly model: string;
  readonly vendor: string;
  readonly features: readonly string[];
  readonly topology: {
    readonly cells: number;
    readonly sockets: number;
    readonly cores: number;
    readonly threads: number;
  };
}

const vendors: Readonly<Record<string, string>> = { GenuineIntel: "Intel", AuthenticAMD: "AMD" };

/** Reads /proc/cpuinfo. Topology counts per socket (cores) and per core (threads). */
export function cpuInfo(procCpuinfo: string): CpuInfo {
  const processors = procCpuinfo
    .trim()
    .split(/\n\s*\n/)
    .map(fieldsOf);
  const first = processors[0] ?? new Map<string, string>();
  const sockets = new Set(processors.map((p) => p.get("physical id") ?? "0")).size;
  const cores = new Set(processors.map((p, i) => `${p.get("physical id") ?? "0"}/${p.get("core id") ?? i}`))
    .size;
  const vendor = first.get("vendor_id") ?? "";
  return {
    arch: "x86_64",
    model: first.get("model name") ?? "unknown",
    vendor: vendors[vendor] ?? vendor,
    features: (first.get("flags") ?? "")
      .split(" ")
      .filter((flag) => flag !== "")
      .sort(),
    topology: {
      cells: 1,
      sockets,
      cores: Math.max(1, Math.floor(cores / sockets)),
      threads: Math.max(1, Math.floor(processors.length / cores)),
    },
  };
}

function fieldsOf(block: string): Map<string, string> {
  return new Map(
    block.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}
