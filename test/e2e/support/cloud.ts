import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { laneOffset } from "./lane-offset.js";

export const projectRoot = join(fileURLToPath(new URL(".", import.meta.url)), "..", "..", "..");
const READY = /^Kilonova is ready/m;
const COMPLAINT = /"level":"(?:warn|error)"/;
/** Of a cloud's log, when a test failed. */
const MOST_COMPLAINTS = 30;
const MOST_CHARACTERS = 1500;
/** Of them, when a start failed. */
const AT_START = 5;

const running = new Set<Cloud>();
process.on("testFailed", (tell?: (line: string) => void) => {
  for (const cloud of running) cloud.explain(tell);
});

/** The last things that a cloud's log complains of; empty where there is none. */
function complaintsOf(home: string): readonly string[] {
  const file = join(home, "kilonova.log");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => COMPLAINT.test(line))
    .slice(-MOST_COMPLAINTS)
    .map((line) => line.slice(0, MOST_CHARACTERS));
}

export interface CloudOptions {
  /** A multiple of 100, at most MOST_OFFSET. The suite's lane is added to it. */
  readonly portOffset: number;
  readonly args?: readonly string[];
  /** Keeps an earlier cloud's state. */
  readonly home?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another checkout of the project; default this one. */
  readonly root?: string;
}

/** Linux gives outgoing connections the ports from 32,768 on: one of them may hold what a cloud wants. */
const MOST_OFFSET = 22_000;

/** A whole cloud as a newcomer starts it: `npm start`'s script in a process of its own. */
export class Cloud {
  readonly home: string;
  readonly offset: number;
  readonly #child: ChildProcess;
  #told = false;
  /** What was told of already: one trouble fails many tests. */
  readonly #explained = new Set<string>();
  readonly output: { text: string };
  readonly exited: Promise<number | null>;

  private constructor(home: string, offset: number, child: ChildProcess, output: { text: string }) {
    this.home = home;
    this.offset = offset;
    this.#child = child;
    this.output = output;
    running.add(this);
    this.exited = new Promise((resolve) =>
      child.once("exit", (code, signal) => {
        running.delete(this);
        // A cloud that dies by itself explains every failure after it.
        if (!this.#told && READY.test(output.text))
          console.error(
            `the cloud ended by itself (${String(code ?? signal)}):\n${output.text.slice(-4000)}`,
          );
        resolve(code);
      }),
    );
  }

  /** Starts and waits for the ready line; the first start also builds the guest image. */
  static async start(options: CloudOptions): Promise<Cloud> {
    if (options.portOffset > MOST_OFFSET) throw new Error(`port offset ${options.portOffset} is too large`);
    const offset = laneOffset(options.portOffset);
    const home = options.home ?? mkdtempSync(join(tmpdir(), "kilonova-e2e-"));
    const child = spawn(
      process.execPath,
      ["scripts/start.mjs", "--port-offset", String(offset), ...(options.args ?? [])],
      {
        cwd: options.root ?? projectRoot,
        env: { ...process.env, ...options.env, KILONOVA_HOME: home },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const output = { text: "" };
    const cloud = new Cloud(home, offset, child, output);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ready line:\n${output.text.slice(-4000)}`)),
        280_000,
      );
      const take = (chunk: Buffer): void => {
        output.text += chunk.toString();
        if (READY.test(output.text)) {
          clearTimeout(timer);
          resolve();
        }
      };
      child.stdout?.on("data", take);
      child.stderr?.on("data", take);
      child.once("exit", (code) => {
        clearTimeout(timer);
        const said = [output.text.slice(-4000), ...complaintsOf(home).slice(-AT_START)];
        reject(new Error(`ended with ${String(code)}:\n${said.join("\n")}`));
      });
    });
    return cloud;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  port(base: number): number {
    return base + this.offset;
  }

  /** Credentials as `source <user>-openrc.sh` would set them. */
  credentials(user: "admin" | "demo"): Record<string, string> {
    const text = readFileSync(join(this.home, `${user}-openrc.sh`), "utf8");
    return Object.fromEntries(
      [...text.matchAll(/^export (\w+)='(.*)'$/gm)].map((m) => [m[1] ?? "", m[2] ?? ""]),
    );
  }

  /** Ctrl-C, and waits for the end. */
  async stop(): Promise<number | null> {
    this.#told = true;
    this.#child.kill("SIGINT");
    return this.exited;
  }

  async kill(): Promise<void> {
    this.#told = true;
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  /** Prints what its log complains about, for whoever reads of a failed test; `tell` hears what is new. */
  explain(tell: (line: string) => void = () => {}): void {
    for (const complaint of complaintsOf(this.home)) {
      const line = `cloud ${this.offset}: ${complaint}`;
      console.error(line);
      if (!this.#explained.has(complaint)) tell(line);
      this.#explained.add(complaint);
    }
  }

  forget(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
