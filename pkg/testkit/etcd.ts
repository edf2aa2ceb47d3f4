import { randomInt } from "node:crypto";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { debianProgram } from "../platform/process/index.js";
import { until } from "./until.js";

const PROGRAM = debianProgram("/usr/bin/etcd");

/** Whether Debian's etcd-server is installed. */
export const etcdInstalled = (): boolean => existsSync(PROGRAM);

/** A private single-node etcd that can be killed and brought back. */
export interface TestEtcd {
  /** `http://127.0.0.1:<port>`; the same after a restart. */
  readonly endpoint: string;
  readonly port: number;
  /** SIGKILL; the data stays. */
  kill(): Promise<void>;
  /** Brings it back after `kill`. */
  start(): Promise<void>;
  /** Forgets all data; only while it is killed. */
  wipe(): Promise<void>;
  /** SIGSTOP and SIGCONT: connections stay open and nobody answers. */
  stall(): void;
  resume(): void;
  close(): Promise<void>;
}

/** Leases may be as short as a second: etcd's shortest is one and a half election timeouts. */
const FLAGS = [
  "--heartbeat-interval=50",
  "--election-timeout=500",
  "--unsafe-no-fsync=true",
  "--log-level=error",
  "--logger=zap",
];

/** Starts etcd on free loopback ports over a temporary directory; ready when it serves. */
export async function startTestEtcd(): Promise<TestEtcd> {
  const dir = await mkdtemp("/tmp/kilonova-test-etcd-");
  const [port, peerPort] = [await freePort(), await freePort()];
  const endpoint = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const data = join(dir, "data");
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const args = [
      "--name=test",
      `--data-dir=${data}`,
      `--listen-client-urls=${endpoint}`,
      `--advertise-client-urls=${endpoint}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=test=${peer}`,
      ...FLAGS,
    ];
    const env = { PATH: process.env["PATH"], ETCD_UNSUPPORTED_ARCH: process.env["ETCD_UNSUPPORTED_ARCH"] };
    child = spawn(PROGRAM, args, { stdio: ["ignore", "ignore", "ignore"], env });
    child.unref();
    killWithUs(child.pid ?? 0);
    await until(() => serves(endpoint), { timeoutMs: 60_000, what: "etcd to serve", everyMs: 20 });
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  await start();
  return {
    endpoint,
    port,
    kill,
    start,
    stall: () => {
      child?.kill("SIGSTOP");
    },
    resume: () => {
      child?.kill("SIGCONT");
    },
    wipe: () => rm(data, { recursive: true, force: true }),
    close: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A shell that outlives us, sees the closed pipe, and ends the server: also after our own SIGKILL. */
function killWithUs(pid: number): void {
  const shell = spawn("/bin/sh", ["-c", 'cat >/dev/null; kill -KILL "$0" 2>/dev/null', String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  shell.unref();
  if ("unref" in shell.stdin && typeof shell.stdin.unref === "function") shell.stdin.unref();
}

async function serves(endpoint: string): Promise<boolean> {
  const response = await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(500) });
  const body: unknown = await response.json();
  return typeof body === "object" && body !== null && "health" in body && body.health === "true";
}

/** Below those that the system gives to outgoing connections, and below those of the clouds of test/e2e. */
const LOWEST_PORT = 2_000;
const HIGHEST_PORT = 12_000;

/**
 * A port of 127.0.0.1 on which nobody listens. No outgoing connection will have it by the time that it is
 * used, or used again by a process that comes back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
