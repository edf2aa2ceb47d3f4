import { aDeclaration, aForm } from "../../pkg/model/testing/a-declaration.js";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { defineKind, done, fail } from "../../pkg/conductor/engine/kind.js";
import type { OperationKind, Step } from "../../pkg/conductor/engine/kind.js";

/** A world outside SQL: lines in a file, each kept once, with the fence of who wrote last. */
export class Ledger {
  readonly #path: string;
  /** What is refused for now, such as `put third`. */
  readonly shut = new Set<string>();
  constructor(path: string) {
    this.#path = path;
  }

  #lines(): { key: string; fence: bigint; taken: boolean }[] {
    if (!existsSync(this.#path)) return [];
    return readFileSync(this.#path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [word = "", key = "", fence = "0"] = line.split(" ");
        return { key, fence: BigInt(fence), taken: word === "take" };
      });
  }

  /** Writes an entry; one that is there stays. */
  put(key: string, fence: bigint): void {
    this.#assertOpen("put", key);
    if (!this.entries().includes(key)) appendFileSync(this.#path, `put ${key} ${fence}\n`);
  }

  /** Takes an entry back; one that is not there stays away. */
  take(key: string, fence: bigint): void {
    this.#assertOpen("take", key);
    if (this.entries().includes(key)) appendFileSync(this.#path, `take ${key} ${fence}\n`);
  }

  #assertOpen(word: string, key: string): void {
    if (this.shut.has(`${word} ${key.split("/")[1] ?? ""}`)) throw new Error("the ledger is shut");
  }

  entries(): string[] {
    const left = new Set<string>();
    for (const { key, taken } of this.#lines())
      if (taken) left.delete(key);
      else left.add(key);
    return [...left].sort();
  }
}

const entry = (name: string, ledger: Ledger): Step => ({
  name,
  event: `toy_${name}`,
  taskState: name,
  timeoutMs: 60_000,
  run: async ({ operation, fence }) => {
    ledger.put(`${operation.serverId}/${name}`, fence);
    return done({ entry: name });
  },
  undo: async ({ operation, fence }) => {
    ledger.take(`${operation.serverId}/${name}`, fence);
    return undefined;
  },
});

export const LEDGER = aDeclaration("toy.ledger", {
  forms: { plain: { ...aForm, taskState: "first" } },
  pivot: "third",
});

/**
 * Three entries into a ledger. The second refuses when the input says so, so that the first is undone.
 * Only for proving the engine: real kinds live in the conductor.
 */
export const toyLedger = (ledger: Ledger): OperationKind =>
  defineKind(LEDGER, {
    steps: [
      entry("first", ledger),
      {
        ...entry("second", ledger),
        run: async ({ operation, fence, input }) => {
          ledger.put(`${operation.serverId}/second`, fence);
          return input === "refuse"
            ? fail({ reason: "REFUSED", domain: "toy", message: "As asked." })
            : done();
        },
      },
      entry("third", ledger),
    ],
    failed: (_call, error) => ({
      set: {
        taskState: "",
        vmState: VmState.VM_STATE_ERROR,
        fault: { code: 500, message: error.message, details: "", reason: error.reason, createdAt: undefined },
      },
    }),
  });
