/** What a kind of signal may be: who sends it, and how much it may carry. */
export interface SignalKind {
  /** Services that may send it; an operator may always. */
  readonly senders: readonly string[];
  readonly maxBytes: number;
}

/** An agent tells that a command ended. */
export const AGENT_REPORT = "agent-report";
/** Nobody works any more on the operation that the addressee pre-empted. */
export const VICTIM_AT_REST = "victim-at-rest";

/** The Block Storage service tells that it has written an image over a volume: `completed` or `failed`. */
export const VOLUME_REIMAGED = "volume-reimaged";

/** Kinds of signals that one service sends and another one's steps wait for. There are no others. */
export const signalKinds: ReadonlyMap<string, SignalKind> = new Map([
  [AGENT_REPORT, { senders: ["compute"], maxBytes: 64 << 10 }],
  [VICTIM_AT_REST, { senders: ["conductor"], maxBytes: 0 }],
  [VOLUME_REIMAGED, { senders: ["api"], maxBytes: 16 }],
]);

/** Characters of a signal's id. */
export const MAX_SIGNAL_ID = 255;
/** Signals that may wait for one operation; more are refused. */
export const MAX_WAITING_SIGNALS = 100;
