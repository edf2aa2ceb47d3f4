import { CommonErrors } from "../../kernel/errors.js";

const LOOKS = 4;

/**
 * Removes what is found, and looks again until nothing is: services that cannot be fenced may end a creation
 * that was under way after the first look.
 * @param what  who is unavailable when more keeps coming: "The network"
 * @throws UNAVAILABLE then; whoever calls repeats it later
 */
export async function untilNoneLeft<T>(
  what: string,
  look: () => Promise<readonly T[]>,
  remove: (found: readonly T[]) => Promise<unknown>,
): Promise<void> {
  for (let looks = 0; looks < LOOKS; looks++) {
    const found = await look();
    if (found.length === 0) return;
    await remove(found);
  }
  throw CommonErrors.UNAVAILABLE({ what });
}
