import type { Clock, Ids } from "../../kernel/index.js";
import type { DataFiles } from "./adapters/files/data-files.js";
import type { ImageStore } from "./adapters/sql/images.js";
import type { MemberStore } from "./adapters/sql/members.js";

/** All that the Image service works with. */
export interface ImageParts {
  readonly images: ImageStore;
  readonly members: MemberStore;
  readonly files: DataFiles;
  readonly clock: Clock;
  readonly ids: Ids;
}
