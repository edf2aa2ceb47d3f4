import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** An attacker under way. */
export interface Flooding {
  /** Ends it. @returns how often it was answered, by status */
  end(): Promise<Readonly<Record<string, number>>>;
}

/** Lets a client flood an address from a process of its own. */
export function flood(what: {
  readonly base: string;
  readonly token: string;
  readonly paths: readonly string[];
  readonly connections: number;
}): Flooding {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", join(import.meta.dirname, "flood.ts"), JSON.stringify(what)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const said = text(child.stdout);
  return {
    end: async () => {
      child.stdin.end();
      return JSON.parse(await said) as Record<string, number>;
    },
  };
}
