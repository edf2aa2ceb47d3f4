/** One line of the journal: what became of a command. Secrets never get here. */
export interface JournalEntry {
  /** Id of the operation's subject: fences count for each. A server's, or the host's own. */
  readonly serverId: string;
  readonly commandId: string;
  readonly operation: string;
  /** Decimal. */
  readonly fence: string;
  /** Lane of the operation; absent: "life". */
  readonly lane?: string;
  /** Whether no lane takes lower fences any more. */
  readonly closesLanes?: boolean;
  readonly phase: "started" | "done" | "failed" | "undone";
  readonly errorReason?: string;
  readonly errorMessage?: string;
  readonly errorDetails?: string;
  /** Encoded output of a command that ended well, base64. */
  readonly output?: string;
  /** Whether the cell knows the outcome (a caller waited for it, or a report was accepted). */
  readonly told?: boolean;
  /** Epoch ms. */
  readonly at: number;
}
