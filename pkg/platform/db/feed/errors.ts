import { defineErrors } from "../../../kernel/errors.js";

export const FeedErrors = defineErrors("feed", {
  /**
   * The reader's place is gone (compacted), or is of another database or its past: begin again with a
   * snapshot.
   */
  COMPACTED: [
    "refused",
    (p: { revision: number; compacted: number; head: number }) =>
      `Revision ${p.revision} is no longer kept; the feed holds ${p.compacted + 1} to ${p.head}.`,
  ],
  UNKNOWN_INCARNATION: [
    "refused",
    (_p: Record<string, never>) => "The feed was begun anew since this position was given out.",
  ],
});
