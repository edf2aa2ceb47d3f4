import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Cgroups } from "./cgroups.js";

const limits = { cpus: 3, shares: 2, memoryBytes: 1 << 29, threads: 300 };

/** The files are plain ones here; what the kernel does with them is seen by guests (test/e2e). */
describe("control groups of guests", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "kilonova-cgroups-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** A plain folder cannot be removed with files in it; control groups can. */
  const read = (...path: string[]): string => readFileSync(join(root, ...path), "utf8");
  const version2 = (offered: string): string => {
    for (const dir of [root, join(root, "kilonova")]) {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, "cgroup.controllers"), offered);
      writeFileSync(join(dir, "cgroup.subtree_control"), dir === root ? "cpu memory pids" : "");
    }
    return `cgroup2 ${root} cgroup2 rw,nosuid 0 0\n`;
  };

  it("are version 2's where there is one hierarchy: one folder with all limits", () => {
    const cgroups = Cgroups.probe({ mounts: version2("cpuset cpu io memory pids"), own: "0::/\n" });
    assert.equal(cgroups.summary, "v2 cpu memory pids");
    assert.deepEqual([...cgroups.missing], []);
    assert.equal(read("kilonova", "cgroup.subtree_control"), "+pids");
    const groups = cgroups.make("guest", limits);
    assert.deepEqual(groups, [join(root, "kilonova", "guest")]);
    assert.equal(read("kilonova", "guest", "cpu.max"), "300000 100000");
    assert.equal(read("kilonova", "guest", "cpu.weight"), "200");
    assert.equal(read("kilonova", "cpu.weight"), "400");
    assert.equal(read("kilonova", "guest", "memory.max"), String(1 << 29));
    assert.equal(read("kilonova", "guest", "pids.max"), "300");
  });

  it("are version 1's where controllers are mounted so, below our own group", () => {
    for (const dir of ["cpu,cpuacct/ours", "memory", "pids"]) mkdirSync(join(root, dir), { recursive: true });
    const mounts = ["cpu,cpuacct", "memory", "pids"]
      .map((name) => `cgroup ${join(root, name)} cgroup rw,${name} 0 0`)
      .join("\n");
    const cgroups = Cgroups.probe({ mounts, own: "3:cpu,cpuacct:/ours\n2:memory:/elsewhere\n1:pids:/\n" });
    assert.equal(cgroups.summary, "v1 cpu memory pids");
    assert.deepEqual(cgroups.make("guest", limits), [
      join(root, "cpu,cpuacct", "ours", "kilonova", "guest"),
      join(root, "memory", "kilonova", "guest"),
      join(root, "pids", "kilonova", "guest"),
    ]);
    assert.equal(read("cpu,cpuacct", "ours", "kilonova", "guest", "cpu.cfs_quota_us"), "300000");
    assert.equal(
      read("cpu,cpuacct", "ours", "kilonova", "cpu.shares"),
      String(4096 * availableParallelism()),
    );
    assert.equal(read("memory", "kilonova", "guest", "memory.limit_in_bytes"), String(1 << 29));
  });

  it("say which controllers are missing, and why, and do with the others", () => {
    const cgroups = Cgroups.probe({ mounts: version2("memory"), own: "0::/\n" });
    assert.equal(cgroups.summary, "v2 memory");
    assert.deepEqual([...cgroups.missing.keys()], ["cpu", "pids"]);
    rmSync(join(root, "kilonova"), { recursive: true });
    writeFileSync(join(root, "kilonova"), "no folder: as on a read-only mount");
    const none = Cgroups.probe({ mounts: `cgroup2 ${root} cgroup2 ro 0 0\n`, own: "" });
    assert.equal(none.summary, "");
    assert.match(none.missing.get("memory") ?? "", /EEXIST|ENOTDIR/);
    assert.deepEqual(none.make("guest", limits), []);
  });

  if (process.getuid?.() === 0)
    it("of this machine, if it has any, are left as they were", () => {
      const cgroups = Cgroups.probe();
      const made = cgroups.make("kilonova-test", limits);
      for (const dir of made) assert.ok(existsSync(join(dir, "cgroup.procs")));
      assert.equal(cgroups.remove("kilonova-test"), true);
      for (const dir of made) assert.ok(!existsSync(dir));
      assert.equal(cgroups.remove("kilonova-test"), true);
    });
});
