/** Kinds of signals that one service sends and another one's steps wait for. */

/** An agent tells that a command ended. */
export const AGENT_REPORT = "agent-report";
/** Nobody works any more on the operation that the addressee pre-empted. */
export const VICTIM_AT_REST = "victim-at-rest";
