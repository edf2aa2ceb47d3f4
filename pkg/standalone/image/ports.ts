import type { Clock, Ids } from "../../kernel/index.js";
import type { DataFiles } from "./adapters/files/data-files.js";
import type { ImageStore } from "./adapters/sql/images.js";
import type { ImageConfig } from "./config.js";
import type { UploadLedger } from "./domain/upload-ledger.js";
import type { Lanes } from "./ops/lanes.js";
import type { Turns } from "./ops/turns.js";
import type { MemberStore } from "./adapters/sql/members.js";

/** All that the Image service works with. */
export interface ImageParts {
  readonly images: ImageStore;
  readonly members: MemberStore;
  readonly files: DataFiles;
  readonly limits: ImageConfig;
  readonly ledger: UploadLedger;
  /** Ids of uploads under way in this process. */
  readonly uploads: Set<string>;
  readonly turns: Turns;
  /** By owner. */
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly ids: Ids;
}
