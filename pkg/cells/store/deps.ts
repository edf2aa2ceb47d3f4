import type { Clock } from "../../kernel/time.js";
import type { Ids } from "../../kernel/ids.js";
import type { OperationCatalogue } from "../../model/operation-catalogue.js";
import type { SecretBox } from "./secret-box.js";

/** What the stores need besides a database. */
export interface StoreDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly box: SecretBox;
  /** Kinds of operations that are accepted. */
  readonly operations: OperationCatalogue;
  /**
   * How long deleted servers are kept before they are deleted for good, in seconds; 0 or absent: not at all.
   */
  readonly reclaimIntervalS?: number;
}
