import { setTimeout as sleep } from "node:timers/promises";
import { identify, listProcesses, signalProcess } from "../host/linux-process.js";
import type { ProcessIdentity } from "../host/linux-process.js";

const GONE_WITHIN_MS = 30_000;

interface Found {
  readonly identity: ProcessIdentity;
  readonly mark: string;
  readonly args: ReadonlySet<string>;
}

/**
 * Kills every QEMU whose files lie below a folder, and what serves its volumes, for an operator who forgets a
 * whole installation: nobody is asked, no record is written.
 * @returns how many guests there were
 * @throws when one is still there after half a minute
 */
export async function endGuestsBelow(dir: string): Promise<number> {
  const processes = listProcesses();
  const having = (program: RegExp, isMark: (arg: string) => boolean): readonly Found[] =>
    processes.flatMap(({ pid, args }) => {
      const mark = program.test([...args][0] ?? "") ? [...args].find(isMark) : undefined;
      const identity = mark === undefined ? undefined : identify(pid);
      return identity === undefined || mark === undefined ? [] : [{ identity, mark, args }];
    });
  const guests = having(/\bqemu-system-[\w]+$/, (arg) => arg.includes(`${dir}/`));
  const folders = guests.flatMap(({ args }) =>
    [...args].flatMap((arg) => /^(socket,id=qmp0,path=.*)\/qmp\.sock,/.exec(arg)?.[1] ?? []),
  );
  const daemons = having(/\bqemu-storage-daemon$/, (arg) =>
    folders.some((folder) => arg.startsWith(`${folder}.v/`)),
  );
  const all = [...guests, ...daemons];
  for (const { identity, mark } of all) signalProcess(identity, [mark], "SIGKILL");
  const deadline = performance.now() + GONE_WITHIN_MS;
  while (all.some(({ identity }) => identify(identity.pid)?.startTicks === identity.startTicks)) {
    if (performance.now() > deadline) throw new Error("a guest outlives SIGKILL");
    await sleep(20);
  }
  return guests.length;
}
