import type { Ctx } from "../../../kernel/index.js";
import type { Image } from "../domain/model.js";
import { E } from "../errors.js";
import type { ImageParts } from "../ports.js";
import type { EndPiece } from "./turns.js";

/** An upload that may go on: asked before each piece, which then has its turn. */
export interface Admission {
  /** @throws OVER_LIMIT, DISK_FULL */
  admit(bytes: number): Promise<EndPiece>;
  end(kept: boolean): void;
}

const MIB = 2 ** 20;
/** Between two looks at the disk. */
const LOOK_EVERY_BYTES = 4 * MIB;

/** For data that the operator brings: no quota, no floor. */
export const unlimited: Admission = { admit: async () => () => {}, end: () => {} };

/**
 * Asks the project's quota and the disk for one upload.
 * @param announced  bytes that the client said it would send
 * @throws OVER_LIMIT, DISK_FULL
 */
export async function admission(
  { images, files, ledger, turns, limits }: ImageParts,
  ctx: Ctx,
  image: Image,
  announced: number | undefined,
): Promise<Admission> {
  const entry = await ledger.begin(image.owner, async () =>
    image.owner === null ? 0 : (await images.usage(ctx, image.owner)).bytes,
  );
  const requireSpace = async (bytes: number): Promise<void> => {
    if ((await files.freeBytes()) - bytes < limits.freeSpaceMib * MIB) throw E.DISK_FULL({});
  };
  try {
    if (announced !== undefined) entry.foresee(announced);
    await requireSpace(announced ?? LOOK_EVERY_BYTES);
  } catch (error) {
    entry.end(false);
    throw error;
  }
  let unseen = 0;
  return {
    admit: async (bytes) => {
      entry.take(bytes);
      unseen += bytes;
      if (unseen >= LOOK_EVERY_BYTES) {
        unseen = 0;
        await requireSpace(bytes);
      }
      return turns.next();
    },
    end: (kept) => entry.end(kept),
  };
}
