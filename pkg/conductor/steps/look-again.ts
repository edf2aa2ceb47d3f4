import { CommonErrors } from "../../kernel/errors.js";
import type { Instant } from "../../kernel/time.js";
import type { StepCall } from "../engine/kind.js";

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

/** How long a service may be at something that was given up before nobody waits for it. */
const MOST_US = 3_600_000_000n;

/**
 * Whether what is still being made hardly ever will be: who makes it may have died at it, and the end of a
 * server must not hang on that.
 */
export const isForsaken = ({ now }: Pick<StepCall, "now">, createdAt: Instant | undefined): boolean =>
  createdAt !== undefined && now - createdAt > MOST_US;
