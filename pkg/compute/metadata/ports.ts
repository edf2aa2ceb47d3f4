import type { Ctx } from "../../kernel/index.js";
import type { GuestData } from "../guestdata/index.js";

/** Where the metadata service learns about guests. */
export interface GuestDataSource {
  /** @returns undefined for a guest that does not exist (here); `generation` changes whenever `data` does */
  guestData(ctx: Ctx, instanceUuid: string): Promise<{ readonly data: GuestData; readonly generation: bigint } | undefined>;
  /**
   * Keeps the password that a guest posted, once and for all; without it posting is refused.
   * @returns false when one was there already
   */
  readonly savePassword?: (ctx: Ctx, instanceUuid: string, encrypted: Uint8Array) => Promise<boolean>;
}
