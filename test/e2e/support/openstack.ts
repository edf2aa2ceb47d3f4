import { execFile } from "node:child_process";
import type { Cloud } from "./cloud.js";
import { onceLoggedIn } from "./identity.js";

/** The unmodified `openstack` client as a user of a cloud. */
export class OpenStack {
  readonly #env: NodeJS.ProcessEnv;

  constructor(cloud: Cloud, user: "admin" | "demo", microversion?: string) {
    this.#env = {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      LANG: "C.UTF-8",
      ...cloud.credentials(user),
      ...(microversion ? { OS_COMPUTE_API_VERSION: microversion } : {}),
    };
  }

  /** Runs a command. @throws with the client's own words when it fails */
  async run(...args: readonly string[]): Promise<string> {
    const { error, out } = await onceLoggedIn(
      () => this.#execute(args),
      (ran) => ran.error?.message ?? "",
    );
    if (error) throw error;
    return out;
  }

  #execute(args: readonly string[]): Promise<{ readonly error?: Error; readonly out: string }> {
    return new Promise((resolve) => {
      execFile(
        "openstack",
        [...args],
        { env: this.#env, maxBuffer: 32 << 20, timeout: 280_000 },
        (error, out, stderr) =>
          resolve(
            error
              ? { error: new Error(`openstack ${args.join(" ")}: ${stderr.trim() || error.message}`), out }
              : { out },
          ),
      );
    });
  }

  /** Runs a command with `-f json`. */
  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run(...args, "-f", "json")) as T;
  }

  /** @returns what the client said when it failed; fails itself when it did not */
  async fails(...args: readonly string[]): Promise<string> {
    const error = await this.run(...args).then(
      () => undefined,
      (e: unknown) => e,
    );
    if (!(error instanceof Error)) throw new Error(`openstack ${args.join(" ")} should have failed`);
    return error.message;
  }
}
