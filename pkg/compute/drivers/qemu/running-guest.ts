import { setTimeout as delay } from "node:timers/promises";
import { isSameProcess, signalProcess } from "../host/linux-process.js";
import type { ProcessIdentity } from "../host/linux-process.js";
import { DriverErrors } from "../errors.js";
import { QmpClient, asObject } from "./qmp-client.js";
import type { QmpEvent } from "./qmp-client.js";
import { powerStateOf, signalOf } from "./run-state.js";
import type { GuestSignal, RunState } from "./run-state.js";
import type { PowerState } from "../../driver.js";

export interface GuestProcess {
  readonly identity: ProcessIdentity;
  readonly marks: readonly string[];
  /** Only for our own children; for others their end is looked for in /proc once their monitor hangs up. */
  readonly exited?: Promise<unknown>;
}

const GONE_POLL_MS = 10;
const GONE_POLL_MAX_MS = 500;

/**
 * One live QEMU process: its monitor, and what its events say. It decides nothing; the driver does.
 */
export class RunningGuest {
  readonly instanceUuid: string;
  readonly identity: ProcessIdentity;
  /** Resolves when the process is no more; never after `detach`. */
  readonly gone: Promise<void>;
  /** Resolves when the guest was shut down (the process may wait, paused, to be ended) or is gone. */
  readonly down: Promise<void>;
  /** Set by the driver before it ends the guest itself, so that the end is no news. */
  endExpected = false;
  /** QEMU is ending because somebody outside said so; no crash. */
  toldToExit = false;
  /** Set by the driver before it pauses or resumes, so that this is no news. */
  changeExpected: GuestSignal["kind"] | undefined;
  readonly #process: GuestProcess;
  readonly #qmp: QmpClient | undefined;
  readonly #hurry = new AbortController();
  #state: RunState;
  #detached = false;
  #hungUp = false;
  #onSignal: (signal: GuestSignal) => void = () => {};
  #resolveDown: () => void = () => {};

  /**
   * Takes over a process whose monitor was connected. `qmp` undefined: the monitor does not answer; such a
   * guest can still be killed.
   */
  static async adopt(
    instanceUuid: string,
    process: GuestProcess,
    qmp: QmpClient | undefined,
  ): Promise<RunningGuest> {
    if (qmp === undefined) return new RunningGuest(instanceUuid, process, undefined, "unknown");
    const uuid = asObject(await qmp.execute("query-uuid"))["UUID"];
    if (uuid !== instanceUuid) throw DriverErrors.HYPERVISOR_FAILED({ step: "recognise the guest" });
    const guest = new RunningGuest(instanceUuid, process, qmp, "unknown");
    await guest.refresh();
    return guest;
  }

  private constructor(
    instanceUuid: string,
    process: GuestProcess,
    qmp: QmpClient | undefined,
    state: RunState,
  ) {
    this.instanceUuid = instanceUuid;
    this.identity = process.identity;
    this.#process = process;
    this.#qmp = qmp;
    this.#state = state;
    this.down = new Promise((resolve) => {
      this.#resolveDown = resolve;
    });
    qmp?.onEvent((event) => {
      const signal = signalOf(event);
      if (signal) this.#take(signal);
    });
    this.gone = new Promise((resolve) => {
      void this.#watchEnd().then((ended) => {
        if (ended) resolve();
      });
    });
    void this.gone.then(() => this.#resolveDown());
  }

  /** The driver's ear; signals before it is set are lost, so look at `powerState` after setting it. */
  onSignal(listener: (signal: GuestSignal) => void): void {
    this.#onSignal = listener;
  }

  /** What QEMU tells beside the guest's life, such as of its devices. @returns ends the subscription */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    return this.#qmp?.onEvent(listener) ?? (() => {});
  }

  get runState(): RunState {
    return this.#state;
  }

  get powerState(): PowerState {
    return powerStateOf(this.#state);
  }

  /** Whether QEMU can be told anything; once it cannot, it never can again. */
  get hears(): boolean {
    return this.#qmp !== undefined && !this.#hungUp;
  }

  /** @throws when /proc cannot be read */
  get alive(): boolean {
    return isSameProcess(this.identity, this.#process.marks);
  }

  /** Asks QEMU what it does now. @throws as QmpClient.execute */
  async refresh(timeoutMs?: number): Promise<RunState> {
    const status = asObject(await this.execute("query-status", undefined, timeoutMs))["status"];
    if (typeof status === "string") this.#setState(status);
    return this.#state;
  }

  execute(command: string, args?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<unknown> {
    if (this.#qmp === undefined) return Promise.reject(DriverErrors.MONITOR_CLOSED({ step: command }));
    return this.#qmp.execute(command, args, timeoutMs);
  }

  /** Somebody wants the plug pulled: whoever waits for the guest's own shutdown stops waiting. */
  hurry(): void {
    this.#hurry.abort();
  }

  get hurried(): AbortSignal {
    return this.#hurry.signal;
  }

  kill(signal: "SIGTERM" | "SIGKILL"): boolean {
    return signalProcess(this.identity, this.#process.marks, signal);
  }

  /** Hangs up and lets the process live. */
  detach(): void {
    this.#onSignal = () => {};
    this.#detached = true;
    this.#qmp?.close();
  }

  /** While /proc cannot be read nobody knows; then it has not ended yet. */
  #mayLive(): boolean {
    try {
      return this.alive;
    } catch {
      return true;
    }
  }

  #take(signal: GuestSignal): void {
    if (signal.kind === "shutdown") {
      this.toldToExit = signal.exits;
      this.#setState("shutdown");
    } else if (signal.kind === "paused" && this.#state !== "shutdown") this.#setState("paused");
    else if (signal.kind === "resumed") this.#setState("running");
    else if (signal.kind === "panicked") this.#setState("guest-panicked");
    this.#onSignal(signal);
  }

  #setState(state: RunState): void {
    this.#state = state;
    if (state === "shutdown") this.#resolveDown();
  }

  /** @returns false when the agent let go first */
  async #watchEnd(): Promise<boolean> {
    const lost = this.#qmp?.closed.then(() => {
      this.#hungUp = true;
      if (this.#state !== "shutdown") this.#state = "unknown";
    });
    if (this.#process.exited) {
      await this.#process.exited;
      return !this.#detached;
    }
    await lost;
    // Linux tells the end of a process only to its parent, which died with the former agent.
    for (let pollMs = GONE_POLL_MS; this.#mayLive(); pollMs = Math.min(pollMs * 2, GONE_POLL_MAX_MS)) {
      if (this.#detached) return false;
      await delay(pollMs, undefined, { ref: false });
    }
    return !this.#detached;
  }
}
