import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../../pkg/testkit/until.js";
import type { Cloud } from "../support/cloud.js";
import { tokenOf } from "../support/identity.js";

const PATIENCE_MS = 240_000;
const ASK_EVERY_MS = 500;

/**
 * A server whose guest runs `guest-agent.sh`: commands go in as a property of the server, outcomes come back
 * on its console.
 */
export class Guest {
  readonly name: string;
  readonly serverId: string;
  readonly #cloud: () => Cloud;
  #commands = 0;
  #token: { readonly cloud: Cloud; readonly text: string } | undefined;

  /** @param cloud  the one that runs now */
  constructor(name: string, serverId: string, cloud: () => Cloud) {
    this.name = name;
    this.serverId = serverId;
    this.#cloud = cloud;
  }

  async ready(): Promise<void> {
    await until(async () => (await this.#console()).includes("GUEST-FOLLOWS"), {
      timeoutMs: PATIENCE_MS,
      everyMs: 2_000,
      what: `${this.name} to boot`,
    });
  }

  /** Runs shell commands in the guest, at most 240 characters. @returns what they printed, a line each */
  async run(...commands: readonly string[]): Promise<readonly string[]> {
    const number = `${++this.#commands}`;
    await this.#post("metadata", { metadata: { do: `${number} ${commands.join("; ")}` } });
    const outcome = new RegExp(`did ${number}: (.*?);? end\\r?$`, "m");
    const text = await until(async () => outcome.exec(await this.#console())?.[1], {
      timeoutMs: PATIENCE_MS,
      everyMs: ASK_EVERY_MS,
      what: `${this.name} to do: ${commands.join("; ")}`,
    });
    return text.split(";").filter((line) => line !== "");
  }

  /**
   * As `run`, but told by another guest over the network: for a server whose properties nobody may change, as
   * one that has moved and waits for its owner's word. Waits for it to boot.
   */
  runBy(neighbour: Guest, address: string, ...commands: readonly string[]): Promise<readonly string[]> {
    return neighbour.run(`tell ${address} '${commands.join("; ").replaceAll("'", String.raw`'\''`)}'`);
  }

  /**
   * Tries all at once. @returns what answered @param tries  as `ping_to` and `tcp_to` of the agent take them
   */
  async reaches(...tries: readonly string[]): Promise<readonly string[]> {
    const answers = await this.run(...tries.map((one) => `${one} & true`), "wait");
    if (answers.length !== tries.length)
      throw new Error(`${this.name} answers ${answers.join(", ")} to ${tries.join(", ")}`);
    return answers
      .filter((line) => line.endsWith(" yes"))
      .map((line) => line.slice(0, -" yes".length))
      .sort();
  }

  async #console(): Promise<string> {
    const { output } = (await this.#post("action", { "os-getConsoleOutput": {} })) as {
      readonly output: string;
    };
    return output;
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const cloud = this.#cloud();
    if (this.#token?.cloud !== cloud) this.#token = { cloud, text: await tokenOf(cloud, "demo") };
    const answer = await fetch(`http://127.0.0.1:${cloud.port(8774)}/v2.1/servers/${this.serverId}/${path}`, {
      method: "POST",
      headers: { "x-auth-token": this.#token.text, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${path} of ${this.name}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }
}

/**
 * Asks again until the answer is as wished: a rule needs a moment to reach every host. @returns the last
 * answer, for an assertion
 */
export async function settled<T>(
  ask: () => Promise<T>,
  wished: (answer: T) => boolean,
  timeoutMs = 180_000,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (wished(answer) || performance.now() > endMs) return answer;
    await sleep(ASK_EVERY_MS);
  }
}
