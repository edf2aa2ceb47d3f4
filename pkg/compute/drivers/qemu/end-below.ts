import { setTimeout as sleep } from "node:timers/promises";
import { identify, listProcesses, signalProcess } from "../host/linux-process.js";

const GONE_WITHIN_MS = 30_000;

/**
 * Kills every QEMU whose files lie below a folder, for an operator who forgets a whole installation: nobody
 * is asked, no record is written.
 * @returns how many there were
 * @throws when one is still there after half a minute
 */
export async function endGuestsBelow(dir: string): Promise<number> {
  const guests = listProcesses().flatMap(({ pid, args }) => {
    const [program = ""] = args;
    const mark = [...args].find((arg) => arg.includes(`${dir}/`));
    const identity = /\bqemu-system-[\w]+$/.test(program) && mark !== undefined ? identify(pid) : undefined;
    return identity === undefined || mark === undefined ? [] : [{ identity, mark }];
  });
  for (const { identity, mark } of guests) signalProcess(identity, [mark], "SIGKILL");
  const deadline = performance.now() + GONE_WITHIN_MS;
  while (guests.some(({ identity }) => identify(identity.pid)?.startTicks === identity.startTicks)) {
    if (performance.now() > deadline) throw new Error("a guest outlives SIGKILL");
    await sleep(20);
  }
  return guests.length;
}
