import { chmod, lstat, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defineErrors } from "../../../pkg/kernel/index.js";

const MARKER = "kilonova.state";
/** Grows when this version can no longer read what an older one left. */
const STATE_VERSION = 1;

export const HomeErrors = defineErrors("up", {
  NOT_OURS: ["refused", (p: { home: string }) => `${p.home} holds files that are not Kilonova's; nothing in it was touched. Choose another folder with KILONOVA_HOME.`],
  HOME_UNUSABLE: ["refused", (p: { home: string; problem: string }) => `The state directory ${p.home} cannot be used: ${p.problem}.`],
});

/**
 * Makes or finds the state directory. A folder with other people's files is refused, so that `--fresh` can never delete them.
 * Others may pass through (guests' processes run as another user) when we are root, but not look into it.
 */
export async function openHome(home: string, fresh: boolean): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    const entries = await readdir(home);
    const ours = entries.includes(MARKER);
    if (!ours && entries.length > 0) throw HomeErrors.NOT_OURS({ home });
    if (fresh && ours) await empty(home, entries);
    // Guests run as another user when we are root: it must be able to pass through.
    if (process.getuid?.() === 0) await chmod(home, 0o711);
    if (!ours || fresh) await writeFile(join(home, MARKER), `${JSON.stringify({ version: STATE_VERSION })}\n`, { mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw HomeErrors.HOME_UNUSABLE({ home, problem: (error as Error).message }, { cause: error });
  }
}

/** Deletes what is in the folder, never what links in it point to. */
async function empty(home: string, entries: readonly string[]): Promise<void> {
  for (const name of entries) {
    const path = join(home, name);
    await rm(path, { recursive: (await lstat(path)).isDirectory(), force: true });
  }
}
