import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Time that children get to end by themselves: mocha stops at once, a cloud drains. */
const GRACE_MS = 5_000;

/**
 * Runs a program as a process group of its own, so that a Ctrl-C reaches it only through us, and waits for
 * its end.
 * @returns whether it ended well
 */
export function runGroup(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      ...options,
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    child.once("error", (error) => {
      console.error(error.message);
      resolve(false);
    });
    child.once("exit", (code) => resolve(code === 0));
  });
}

/**
 * Makes SIGINT, SIGTERM and SIGHUP end everything that descends from this process, whatever sessions it has
 * made, before this process itself ends with 128 + the signal's number. A second signal skips the grace.
 */
export function endWithChildren() {
  let ending = false;
  const hurry = new AbortController();
  for (const [signal, number] of [
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ]) {
    process.on(signal, () => {
      if (ending) return hurry.abort();
      ending = true;
      void endDescendants(process.pid, GRACE_MS, hurry.signal).finally(() => process.exit(128 + number));
    });
  }
}

/**
 * SIGTERM to all, and after the grace SIGKILL to those that are left. What ends leaves its children to init,
 * so all are looked up before the first one ends.
 */
async function endDescendants(root, graceMs, hurry) {
  const seen = new Map();
  const look = () => {
    for (const [pid, start] of descendants(root, seen)) seen.set(pid, start);
  };
  look();
  for (const [pid, start] of seen) send(pid, start, "SIGTERM");
  const endMs = Date.now() + graceMs;
  for (;;) {
    look();
    const left = [...seen].filter(([pid, start]) => startOf(pid) === start);
    if (left.length === 0) return;
    const late = Date.now() >= endMs || hurry?.aborted === true;
    if (late) for (const [pid, start] of left) send(pid, start, "SIGKILL");
    await sleep(late ? 20 : 50);
  }
}

/**
 * Everything below `root` or below a process that was seen before, with the time of its start: a number may
 * be given to another process later.
 */
function descendants(root, seen) {
  const children = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(Number(name));
    if (stat)
      children.set(stat.parent, [
        ...(children.get(stat.parent) ?? []),
        { pid: Number(name), start: stat.start },
      ]);
  }
  const found = new Map();
  const roots = [root, ...[...seen].filter(([pid, start]) => startOf(pid) === start).map(([pid]) => pid)];
  for (let at = roots.pop(); at !== undefined; at = roots.pop()) {
    for (const { pid, start } of children.get(at) ?? []) {
      if (found.has(pid)) continue;
      found.set(pid, start);
      roots.push(pid);
    }
  }
  return found;
}

/** Parent and start of a process; undefined when it is gone or a zombie. */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold anything; after it come state, parent, … and as the 20th the start
    // in ticks.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X"
      ? undefined
      : { parent: Number(fields[1]), start: fields[19] };
  } catch {
    return undefined;
  }
}

const startOf = (pid) => statOf(pid)?.start;

function send(pid, start, signal) {
  if (startOf(pid) !== start) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended in between, or runs under an account that we may not touch: its parent ends it.
    if (error.code !== "ESRCH" && error.code !== "EPERM") throw error;
  }
}
