/**
 * Where a conductor can be made to die: before and after the commit of a step. Only test entries give one
 * that does.
 */
export interface CrashPoints {
  hit(kind: string, step: string, when: CrashMoment): Promise<void>;
}
export type CrashMoment = "before" | "after" | "undo-before" | "undo-after";

/** Production's: nothing ever happens. */
export const noCrash: CrashPoints = { hit: async () => {} };
