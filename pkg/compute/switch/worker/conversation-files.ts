import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { makeFolder } from "../../../platform/files/index.js";
import type { KeptConversation } from "../firewall/conntrack.js";
import { longestTimeoutMs } from "../firewall/conntrack.js";

/** A port's file is written at most this often, so that much is lost when the process is killed. */
const saveEveryMs = 500;
/** What saving may take of one turn of the switch; other ports wait for the next. */
const budgetMs = 10;
/** After a failure, a full disk say, the next attempt comes this much later. */
const failurePauseMs = 30_000;

const hex = z.string().regex(/^[0-9a-f]+$/);
const number = z.number().int().nonnegative();
const fileShape = z.object({
  savedAtMs: z.number(),
  conversations: z.array(
    z.object({
      opening: z.object({
        key: z.string(),
        version: z.union([z.literal(4), z.literal(6)]),
        protocol: number,
        remoteIp: hex,
        destinationPort: number.optional(),
        icmp: z.object({ type: number, code: number }).optional(),
      }),
      openedBy: z.enum(["ingress", "egress"]),
      ending: z.enum(["no", "closing", "reset"]),
      leftMs: z.number(),
    }),
  ),
});

/** A port with conversations that its file does not have yet. */
export interface UnsavedPort {
  readonly portId: string;
  kept(): readonly KeptConversation[];
}

/**
 * Conversations on disk, a file per port, so that they go on when the agent was killed. Written by rename and
 * without fsync: what ends the machine ends its guests too. A file that cannot be read counts as none.
 */
export class ConversationFiles {
  readonly #dir: string;
  readonly #onFailure: (error: unknown) => void;
  readonly #savedMs = new Map<string, number>();
  #pausedUntilMs = 0;

  constructor(dir: string, onFailure: (error: unknown) => void) {
    this.#dir = dir;
    this.#onFailure = onFailure;
    this.#trying(0, () => {
      makeFolder(dir, 0o700);
      for (const name of readdirSync(dir)) {
        if (Date.now() - statSync(join(dir, name)).mtimeMs > longestTimeoutMs)
          rmSync(join(dir, name), { force: true });
      }
    });
  }

  /** @returns what the port's file has, less the time since */
  read(portId: string): readonly KeptConversation[] {
    try {
      const { savedAtMs, conversations } = fileShape.parse(
        JSON.parse(readFileSync(this.#pathOf(portId), "utf8")),
      );
      const sinceMs = Math.max(0, Date.now() - savedAtMs);
      return conversations.map(({ opening: { destinationPort, icmp, ...opening }, ...one }) => ({
        ...one,
        opening: { ...opening, destinationPort, icmp },
        leftMs: one.leftMs - sinceMs,
      }));
    } catch {
      return [];
    }
  }

  /**
   * Writes ports whose turn it is, those that waited longest first. @param nowMs on a clock that only moves
   * forward
   */
  save(ports: readonly UnsavedPort[], nowMs: number): void {
    if (nowMs < this.#pausedUntilMs) return;
    const endMs = performance.now() + budgetMs;
    const since = ({ portId }: UnsavedPort): number => this.#savedMs.get(portId) ?? -Infinity;
    for (const port of ports
      .filter((one) => nowMs - since(one) >= saveEveryMs)
      .sort((a, b) => since(a) - since(b))) {
      this.#write(port, nowMs);
      if (performance.now() > endMs) return;
    }
  }

  /** Writes them all now. */
  saveAll(ports: readonly UnsavedPort[], nowMs: number): void {
    for (const port of ports) this.#write(port, nowMs);
  }

  remove(portId: string): void {
    this.#savedMs.delete(portId);
    this.#trying(0, () => rmSync(this.#pathOf(portId), { force: true }));
  }

  #write(port: UnsavedPort, nowMs: number): void {
    this.#savedMs.set(port.portId, nowMs);
    this.#trying(nowMs, () => {
      const path = this.#pathOf(port.portId);
      writeFileSync(`${path}.new`, JSON.stringify({ savedAtMs: Date.now(), conversations: port.kept() }), {
        mode: 0o600,
      });
      renameSync(`${path}.new`, path);
    });
  }

  /** Packets go on whatever the disk does. */
  #trying(nowMs: number, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#pausedUntilMs = nowMs + failurePauseMs;
      this.#onFailure(error);
    }
  }

  #pathOf(portId: string): string {
    return join(this.#dir, `${encodeURIComponent(portId)}.json`);
  }
}
