import type { Ctx } from "../../kernel/index.js";
import type { JsonValue } from "../guestdata/index.js";

/** What a dynamic vendor data service is told about a guest. Never the admin password. */
export interface VendorDataSubject {
  readonly projectId: string;
  readonly instanceUuid: string;
  /** "" without an image. */
  readonly imageId: string;
  /** Base64, as the user gave it; "" for none. */
  readonly userData: string;
  /** Without domain. */
  readonly hostname: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Roles of the user who asked for the server. */
  readonly bootRoles: readonly string[];
}

/** What the operator tells guests. */
export interface VendorData {
  /** Whether the provider `StaticJSON` is on. */
  readonly hasFixed: boolean;
  /** @returns undefined when the provider `StaticJSON` is off @throws VENDORDATA_FILE_UNUSABLE */
  fixed(): Promise<JsonValue | undefined>;
  /**
   * Asks every target, all at once, each time anew.
   * @returns the documents by target; empty ones of targets that failed
   * @throws VENDORDATA_FAILED when a target failed and that is fatal
   */
  dynamic(ctx: Ctx, subject: VendorDataSubject): Promise<ReadonlyMap<string, JsonValue>>;
}

/** The token that goes along with a question. */
export interface TokenSource {
  token(ctx: Ctx): Promise<string>;
  /** Says that it was refused. */
  discard(stale: string): void;
}
