import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError, rootCtx } from "../../../kernel/index.js";
import { until } from "../../../testkit/until.js";
import { caged, uncaged } from "./cage.js";
import { plain, realPid, start } from "./command.js";
import { Isolation, isolationDefaults } from "./isolation.js";
import { cagedNamespaces, shortcomings, standingOf } from "./process-standing.js";
import { runTool } from "./run-tool.js";

const ctx = rootCtx({ requestId: "req-isolation" });
const isRoot = process.getuid?.() === 0;

describe("a cage", () => {
  it("drops to the user without a way back, last of all, and shows nobody the command line", () => {
    const { argv, inputs } = caged(["a", "it's b"], { user: { uid: 7, gid: 8 }, dies: false });
    assert.deepEqual(argv, ["bwrap", "--args", "4", "--", "sh", "/cage"]);
    assert.equal(
      inputs[1],
      "exec 'setpriv' '--reuid=7' '--regid=8' '--clear-groups' '--inh-caps=-all' '--bounding-set=-all' " +
        "'--no-new-privs' '--' 'a' 'it'\\''s b'\n",
    );
    const options = String(inputs[0]).split("\0");
    for (const option of ["--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--as-pid-1"])
      assert.ok(options.includes(option), option);
  });

  it("enters its control groups before anything else, or does not begin", () => {
    for (const { argv } of [
      caged(["a"], { user: undefined, groups: ["/g/1", "/g/2"], dies: false }),
      uncaged(["a"], { user: undefined, groups: ["/g/1", "/g/2"], dies: false }),
    ]) {
      assert.equal(
        argv[2],
        "echo 0 > '/g/1/cgroup.procs' || exit 125\necho 0 > '/g/2/cgroup.procs' || exit 125\nexec \"$@\"",
      );
    }
  });

  it("shows a tool its own files and no others, as nobody with any right", async () => {
    const dir = mkdtempSync(join(tmpdir(), "kilonova-cage-"));
    try {
      chmodSync(dir, 0o755);
      for (const name of ["read", "write", "other"]) {
        writeFileSync(join(dir, name), name);
        chmodSync(join(dir, name), 0o666);
      }
      const isolation = await Isolation.open(isolationDefaults);
      const user = isolation.uids?.take(dir);
      const within = isolation.tool({ user, readable: [join(dir, "read")], writable: [join(dir, "write")] });
      const sh = (script: string): Promise<string> =>
        runTool(ctx, ["sh", "-c", script], { timeoutMs: 30_000, within });
      assert.equal(
        await sh(`cat ${dir}/read; echo new > ${dir}/write; id -u`),
        `read${user?.uid ?? process.getuid?.()}\n`,
      );
      assert.equal(readFileSync(join(dir, "write"), "utf8"), "new\n");
      if (!isolation.hasNamespaces) return;
      assert.equal(await sh(`ls ${dir}`), "read\nwrite\n");
      assert.equal(await sh(`echo more >> ${dir}/read || echo refused`), "refused\n");
      assert.equal(
        await sh("ls /dev /proc /root /home /etc/passwd 2>/dev/null; true"),
        "/dev:\nnull\nurandom\n",
      );
      assert.equal(await sh("unshare --user true 2>/dev/null || echo refused"), "refused\n");
      if (user) isolation.uids?.release(dir, user.uid);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("ends with its tool's time", async () => {
    const isolation = await Isolation.open(isolationDefaults);
    const began = performance.now();
    await assert.rejects(
      runTool(ctx, ["sleep", "601"], { timeoutMs: 200, within: isolation.tool({ user: undefined }) }),
      /sleep/,
    );
    assert.ok(performance.now() - began < 60_000);
  });

  it("shows a file system that nobody can change, at its root too", async () => {
    const isolation = await Isolation.open(isolationDefaults);
    if (!isolation.hasNamespaces) return;
    const within = isolation.tool({ user: undefined });
    const said = await runTool(ctx, ["sh", "-c", "touch /new 2>&1 || mkdir /dev/new 2>&1 || true"], {
      timeoutMs: 30_000,
      within,
    });
    assert.equal(said.match(/Read-only file system/g)?.length, 2, said);
  });

  for (const [name, dies] of [
    ["a guest", false],
    ["a tool", true],
  ] as const)
    it(`hands ${name} nothing that the agent's starter had left open`, async () => {
      const dir = mkdtempSync(join(tmpdir(), "kilonova-handed-"));
      writeFileSync(join(dir, "secret"), "s3cret", { mode: 0o600 });
      const url = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
      const agent = `
        const { Isolation, isolationDefaults } = await import(${url("./isolation.ts")});
        const { start, realPid } = await import(${url("./command.ts")});
        const { readdirSync, readlinkSync } = await import("node:fs");
        const isolation = await Isolation.open(isolationDefaults);
        const command = isolation.enter(["sleep", "60"], { user: undefined, dies: ${dies} });
        const child = start(command, { stdio: ["ignore", "ignore", "ignore"] });
        const pid = await realPid(child, command);
        const links = [pid, process.pid].flatMap((of) =>
          readdirSync("/proc/" + of + "/fd").flatMap((fd) => {
            try { return [readlinkSync("/proc/" + of + "/fd/" + fd)]; } catch { return []; }
          }));
        console.log(JSON.stringify(links));
        process.kill(pid, "SIGKILL");
        process.exit(0);`;
      try {
        writeFileSync(join(dir, "agent.mts"), agent);
        const { stdout, stderr } = spawnSync(
          "bash",
          ["-c", 'exec 250<>"$1/secret" "$0" --import tsx "$1/agent.mts"', process.execPath, dir],
          { encoding: "utf8", cwd: process.cwd() },
        );
        assert.match(stdout, /^\[/, stderr);
        assert.ok(!stdout.includes("secret"), stdout);
      } finally {
        rmSync(dir, { recursive: true });
      }
    });

  const all = { memberOf: [], namespaces: cagedNamespaces, filtered: true, bounded: true };

  it("is found wanting when a process has open what nobody gave to it", async () => {
    const dir = mkdtempSync(join(tmpdir(), "kilonova-foreign-"));
    const pipes = start(
      plain(["bash", "-c", `exec 9>${dir}/given 250>${dir}/kept 251< <(sleep 1); echo ready; exec sleep 60`]),
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    try {
      await once(pipes.stdout ?? pipes, "data");
      await until(() => readFileSync(`/proc/${pipes.pid}/comm`, "utf8") === "sleep\n");
      const { foreign } = standingOf(pipes.pid ?? 0, [join(dir, "given")]);
      assert.deepEqual(
        foreign.map((one) => one.replace(/\d+\]$/, "")),
        [`250 ${dir}/kept`, "251 pipe:["],
      );
      const missing = shortcomings(standingOf(pipes.pid ?? 0, [join(dir, "given"), join(dir, "kept")]), {
        user: undefined,
        memberOf: [],
        namespaces: [],
        filtered: false,
        bounded: false,
      });
      assert.ok(
        missing.some((part) => part.startsWith("descriptors that are not its own (251 pipe")),
        missing.join(),
      );
    } finally {
      pipes.kill("SIGKILL");
      rmSync(dir, { recursive: true });
    }
  });

  it("is not found wanting for its own connections while the host's others come and go", async () => {
    if (!isRoot) return;
    const dir = mkdtempSync(join(tmpdir(), "kilonova-own-"));
    const path = join(dir, "socket");
    const perl = (script: string, ...before: readonly string[]) =>
      start(plain([...before, "perl", "-MSocket", "-e", script, path]), {
        stdio: ["ignore", "pipe", "ignore"],
      });
    const accepting = perl(
      `socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])) or die; listen(S, 9);
       $| = 1; print "ready"; while (accept(my $one, S)) { push @all, $one; print "." }`,
      ...["unshare", "--net"],
    );
    const busy = Array.from({ length: 2 }, () =>
      perl(`while (1) { my @all; for (1 .. 400) { socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC);
       push @all, $a, $b } }`),
    );
    try {
      let said = "";
      accepting.stdout?.on("data", (text: Buffer) => (said += text.toString()));
      await until(() => said === "ready");
      const clients = Array.from({ length: 5 }, () => connect(path));
      await until(() => said === "ready.....");
      for (let looks = 0; looks < 300; looks++) {
        const { foreign } = standingOf(accepting.pid ?? 0, [path]);
        assert.deepEqual(
          foreign.filter((one) => one.includes("socket")),
          [],
        );
      }
      for (const client of clients) client.destroy();
    } finally {
      for (const one of [accepting, ...busy]) one.kill("SIGKILL");
      rmSync(dir, { recursive: true });
    }
  });

  it("is found wanting when a process is in groups that were not given to it", () => {
    const found = {
      uids: [7, 7, 7, 7],
      gids: [8, 8, 8, 8],
      capabilities: { Prm: "0", Eff: "0", Bnd: "0", Inh: "0", Amb: "0" },
      noNewPrivs: true,
      filtered: true,
      shared: [],
      foreign: [],
    };
    const wanted = { ...all, user: { uid: 7, gid: 8 }, memberOf: [36] };
    assert.deepEqual(shortcomings({ ...found, groups: [8, 36] }, wanted), []);
    assert.deepEqual(shortcomings({ ...found, groups: [8, 36, 0] }, wanted), ["other groups"]);
  });

  it("is found wanting when something of it does not hold", async () => {
    const free = start(plain(["sleep", "60"]), { stdio: ["ignore", "ignore", "ignore"] });
    const isolation = await Isolation.open(isolationDefaults);
    const command = isolation.enter(["sleep", "60"], {
      user: isRoot ? { uid: 40_000, gid: 40_000 } : undefined,
      dies: false,
    });
    const shut = start(command, { stdio: ["ignore", "ignore", "pipe"] });
    const pid = await realPid(shut, command);
    try {
      const wanted = { ...all, user: { uid: 40_000, gid: 40_000 } };
      const missing = shortcomings(standingOf(free.pid ?? 0), wanted);
      for (const part of ["the user", "no_new_privs", "seccomp", "namespaces (mnt, pid, ipc, net, uts)"])
        assert.ok(missing.includes(part), `${part} in ${missing.join("; ")}`);
      if (isRoot) assert.ok(missing.includes("capabilities"));
      if (!isRoot || !isolation.hasNamespaces) return;
      // `sleep` has no filter of its own: a guest without QEMU's sandbox would be refused for just that.
      await until(() => readFileSync(`/proc/${pid}/comm`, "utf8") === "sleep\n", {
        timeoutMs: 60_000,
        what: "the cage to be made",
      });
      assert.deepEqual(shortcomings(standingOf(pid), wanted), ["seccomp"]);
      assert.throws(
        () => isolation.assertHolds(pid, { user: { uid: 40_000, gid: 40_000 } }),
        (e: unknown) =>
          e instanceof KilonovaError && e.reason === "GUEST_NOT_ISOLATED" && e.facts["missing"] === "seccomp",
      );
    } finally {
      free.kill("SIGKILL");
      process.kill(pid, "SIGKILL");
    }
  });

  it("has the host's network only for who is to reach it, with a filter that lets it connect", async () => {
    const isolation = await Isolation.open(isolationDefaults);
    if (!isolation.hasNamespaces) return;
    const user = isRoot ? { uid: 40_000, gid: 40_000 } : undefined;
    for (const reaches of ["sockets", "network"] as const) {
      const room = { user, dies: false, reaches };
      const command = isolation.enter(["bash", "-c", "exec 5<>/dev/udp/127.0.0.1/9; exec sleep 60"], room);
      const shut = start(command, { stdio: ["ignore", "ignore", "ignore"] });
      const pid = await realPid(shut, command);
      try {
        await until(() => readFileSync(`/proc/${pid}/comm`, "utf8") === "sleep\n");
        const { shared, filtered } = standingOf(pid);
        assert.deepEqual(
          { shared, filtered },
          { shared: reaches === "network" ? ["net"] : [], filtered: true },
        );
        assert.ok(existsSync(`/proc/${pid}/fd/5`));
        // What it opened in a network of its own was given to it by nobody.
        if (reaches === "network") isolation.assertHolds(pid, room);
      } finally {
        process.kill(pid, "SIGKILL");
      }
    }
  });

  if (isRoot)
    it("is refused where a part of it is missing that was asked for", async () => {
      const without = async (): Promise<{ noNamespaces: string; bubblewrapMissing: boolean }> => ({
        noNamespaces: "the package bubblewrap is not installed",
        bubblewrapMissing: true,
      });
      await assert.rejects(
        Isolation.open(isolationDefaults, without),
        (e: unknown) =>
          e instanceof KilonovaError &&
          e.reason === "ISOLATION_INCOMPLETE" &&
          /bubblewrap is not installed/.test(e.message),
      );
      const some = await Isolation.open({ ...isolationDefaults, mode: "best-effort" }, without);
      assert.match(
        some.summary,
        /They lack namespaces of their own \(the package bubblewrap is not installed\)/,
      );
      assert.deepEqual(some.enter(["a"], { user: undefined, dies: false }).argv.at(-1), "a");
      const forbidden = async (): Promise<{ noNamespaces: string; bubblewrapMissing: boolean }> => ({
        noNamespaces: "Operation not permitted",
        bubblewrapMissing: false,
      });
      assert.match(
        (await Isolation.open(isolationDefaults, forbidden)).summary,
        /\(Operation not permitted\)/,
      );
    });
  else
    it("is refused to who asks for all of it without being root", async () => {
      await assert.rejects(Isolation.open({ ...isolationDefaults, mode: "strict" }), /users of their own/);
    });
});
