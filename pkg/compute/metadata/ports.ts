import type { Ctx } from "../../kernel/index.js";
import type { GuestData } from "../guestdata/index.js";

/** What the operator tells a guest; see `GuestData`. */
export type VendorDocuments = Pick<GuestData, "vendorData" | "dynamicVendorData">;

/** Where the metadata service learns about guests. */
export interface GuestDataSource {
  /**
   * @returns undefined for a guest that does not exist (here); `generation` changes whenever `data` does;
   *   without vendor data
   */
  guestData(
    ctx: Ctx,
    instanceUuid: string,
  ): Promise<{ readonly data: GuestData; readonly generation: bigint } | undefined>;
  /**
   * Vendor data of a guest that exists, fetched anew.
   * @param options.dynamic  whether to ask the dynamic targets as well
   * @throws VENDORDATA_FILE_UNUSABLE, VENDORDATA_FAILED
   */
  vendorData(
    ctx: Ctx,
    instanceUuid: string,
    options: { readonly dynamic: boolean },
  ): Promise<VendorDocuments>;
  /**
   * Keeps the password that a guest posted, once and for all.
   * @param encrypted  1 to 1020 characters
   * @returns false when one was there already
   */
  savePassword(ctx: Ctx, instanceUuid: string, encrypted: string): Promise<boolean>;
}
