import { posix } from "node:path";

/**
 * The key of a document in the metadata tree: no query, no doubled or trailing slashes, `..` followed; the
 * root is "".
 */
export const normalPath = (path: string): string =>
  posix.normalize(`/${path.split("?", 1)[0] ?? ""}`).replace(/\/$/, "");
