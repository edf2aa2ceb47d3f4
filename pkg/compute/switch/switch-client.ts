import type { Worker } from "node:worker_threads";
import type { KilonovaError, Logger } from "../../kernel/index.js";
import { CommonErrors } from "../../kernel/index.js";
import { SwitchErrors } from "./errors.js";
import type { GroupMembers, PeerConfig, PortConfig } from "./port-config.js";
import type {
  CommandBody,
  FromWorker,
  MetadataRequest,
  MetadataResponse,
  Reply,
  SwitchStats,
  ToWorker,
  WireError,
  WorkerInit,
} from "./protocol.js";
import { spawnSwitchWorker } from "./worker/spawn-worker.js";

const firstRestartMs = 100;
const longestRestartMs = 5_000;
/** A worker that lived this long was healthy; the next restart is quick again. */
const healthyMs = 30_000;

/** Answers a guest's metadata request; may throw, which the guest sees as 500. */
export type MetadataHandler = (request: MetadataRequest) => Promise<MetadataResponse>;

export interface SwitchOptions {
  /** Where other hosts' switches send to; port 0 takes a free one. */
  readonly tunnel: { readonly address: string; readonly port: number };
  /** Folder in which tracked conversations outlive this process, however it ends; without it they do not. */
  readonly conversationsDir?: string;
  readonly log: Logger;
  readonly metadata: MetadataHandler;
  /** A guest's NIC was connected to the switch, or lost. */
  readonly onPortLink?: (portId: string, connected: boolean) => void;
}

/** The agent's handle on its data plane, which runs in a thread of its own. */
export interface Switch {
  /** The UDP port for tunnels that was really taken. */
  readonly tunnelPort: number;
  /**
   * Adds a port or replaces its whole configuration; also tries at once to connect to QEMU. @throws
   * PORT_INVALID
   */
  setPort(config: PortConfig): Promise<void>;
  /** Absent is success. */
  removePort(portId: string): Promise<void>;
  /** Replaces the list of other hosts. Frames from anybody else are dropped. */
  setPeers(peers: readonly PeerConfig[]): Promise<void>;
  /** Replaces what is known of security groups' members on other hosts. @throws CONFIG_INVALID */
  setGroups(groups: readonly GroupMembers[]): Promise<void>;
  stats(): Promise<SwitchStats>;
  /** Stops the data plane; guests keep running and are connected again by the next switch. */
  close(): Promise<void>;
}

/**
 * Starts the data plane of a host.
 * Should its thread die, a new one is started with everything that was set, so callers need not notice.
 * @param spawn  starts the thread; tests give their own to get hold of it
 * @throws TUNNEL_UNAVAILABLE
 */
export async function startSwitch(
  options: SwitchOptions,
  spawn: (init: WorkerInit) => Worker = spawnSwitchWorker,
): Promise<Switch> {
  const client = new SwitchClient(options, spawn);
  await client.start();
  return client;
}

class SwitchClient implements Switch {
  readonly #options: SwitchOptions;
  readonly #spawnWorker: (init: WorkerInit) => Worker;
  readonly #ports = new Map<string, PortConfig>();
  #peers: readonly PeerConfig[] = [];
  #groups: readonly GroupMembers[] = [];
  readonly #pending = new Map<number, { what: string; settle: (reply: Reply | undefined) => void }>();
  #worker: Worker | undefined;
  #startedAtMs = 0;
  #restartMs = firstRestartMs;
  #restartTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #lastId = 0;
  #tunnelPort = 0;

  constructor(options: SwitchOptions, spawn: (init: WorkerInit) => Worker) {
    this.#options = options;
    this.#spawnWorker = spawn;
  }

  get tunnelPort(): number {
    return this.#tunnelPort;
  }

  async start(): Promise<void> {
    this.#tunnelPort = await this.#spawn();
  }

  async setPort(config: PortConfig): Promise<void> {
    const before = this.#ports.get(config.portId);
    this.#ports.set(config.portId, config);
    try {
      await this.#tell({ type: "set-port", config });
    } catch (error) {
      if (this.#ports.get(config.portId) === config) {
        if (before === undefined) this.#ports.delete(config.portId);
        else this.#ports.set(config.portId, before);
      }
      throw error;
    }
  }

  async removePort(portId: string): Promise<void> {
    this.#ports.delete(portId);
    await this.#tell({ type: "remove-port", portId });
  }

  async setPeers(peers: readonly PeerConfig[]): Promise<void> {
    this.#peers = peers;
    await this.#tell({ type: "set-peers", peers });
  }

  async setGroups(groups: readonly GroupMembers[]): Promise<void> {
    const before = this.#groups;
    this.#groups = groups;
    try {
      await this.#tell({ type: "set-groups", groups });
    } catch (error) {
      if (this.#groups === groups) this.#groups = before;
      throw error;
    }
  }

  async stats(): Promise<SwitchStats> {
    const reply = await this.#command({ type: "stats" });
    return (
      reply.stats ?? {
        ports: [],
        tunnel: {
          rxPackets: 0,
          txPackets: 0,
          unknownPeerDrops: 0,
          malformedDrops: 0,
          unknownNetworkDrops: 0,
          spoofedDrops: 0,
          queueDrops: 0,
        },
      }
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#restartTimer);
    const worker = this.#worker;
    if (worker === undefined) return;
    await this.#command({ type: "close" }).catch(() => undefined); // dead already is as good
    await worker.terminate();
  }

  /** @returns the tunnel port */
  async #spawn(): Promise<number> {
    const { tunnel, conversationsDir } = this.#options;
    const init: WorkerInit = {
      tunnel: { address: tunnel.address, port: this.#tunnelPort || tunnel.port },
      ...(conversationsDir === undefined ? {} : { conversationsDir }),
    };
    const worker = this.#spawnWorker(init);
    this.#worker = worker;
    this.#startedAtMs = Date.now();
    return new Promise((resolve, reject) => {
      worker.on("message", (message: FromWorker) => {
        if (message.type === "ready") resolve(message.tunnelPort);
        else if (message.type === "failed") {
          reject(fromWire(message.error));
          void worker.terminate();
        } else this.#receive(worker, message);
      });
      worker.on("error", (error) => {
        this.#options.log.error("switch.worker.failed", { error });
        reject(error);
      });
      worker.on("exit", () => {
        reject(SwitchErrors.SWITCH_GONE({ doing: "start" }));
        this.#workerGone(worker);
      });
    });
  }

  #receive(worker: Worker, message: Exclude<FromWorker, { type: "ready" | "failed" }>): void {
    switch (message.type) {
      case "reply":
        this.#pending.get(message.id)?.settle(message);
        return;
      case "port-link":
        this.#options.log.debug("switch.port.link", { portId: message.portId, connected: message.connected });
        this.#options.onPortLink?.(message.portId, message.connected);
        return;
      case "keeping-failed":
        this.#options.log.warn("switch.conversations.failed", { error: fromWire(message.error) });
        return;
      case "metadata-request":
        void this.#answerMetadata(worker, message.id, message.request);
    }
  }

  async #answerMetadata(worker: Worker, id: number, request: MetadataRequest): Promise<void> {
    let response: MetadataResponse;
    try {
      response = await this.#options.metadata(request);
    } catch (error) {
      this.#options.log.error("switch.metadata.failed", {
        instanceUuid: request.instanceUuid,
        path: request.path,
        error,
      });
      response = { status: 500, headers: {}, body: new Uint8Array() };
    }
    this.#postTo(worker, { type: "metadata-reply", id, response });
  }

  /**
   * Sends something that is also kept here: if the thread is gone, its successor will be told, so nothing is
   * lost.
   */
  async #tell(body: CommandBody): Promise<void> {
    try {
      await this.#command(body);
    } catch (error) {
      if (this.#closed || !isReason(error, "SWITCH_GONE")) throw error;
    }
  }

  #command(body: CommandBody): Promise<Extract<Reply, { ok: true }>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, {
        what: body.type,
        settle: (reply) => {
          this.#pending.delete(id);
          if (reply === undefined) reject(SwitchErrors.SWITCH_GONE({ doing: body.type }));
          else if (reply.ok) resolve(reply);
          else reject(fromWire(reply.error));
        },
      });
      if (this.#worker === undefined) this.#pending.get(id)?.settle(undefined);
      else this.#postTo(this.#worker, { ...body, id });
    });
  }

  #postTo(worker: Worker, message: ToWorker): void {
    worker.postMessage(message);
  }

  /** Everything set so far is kept here, so a new thread can take over where the old one stopped. */
  #workerGone(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { settle } of [...this.#pending.values()]) settle(undefined);
    if (this.#closed || this.#tunnelPort === 0) return;
    if (Date.now() - this.#startedAtMs > healthyMs) this.#restartMs = firstRestartMs;
    this.#options.log.error("switch.worker.exited", {
      restartInMs: this.#restartMs,
      ports: this.#ports.size,
    });
    this.#restartTimer = setTimeout(() => {
      void this.#restart();
    }, this.#restartMs);
    this.#restartMs = Math.min(longestRestartMs, this.#restartMs * 2);
  }

  async #restart(): Promise<void> {
    try {
      await this.#spawn();
      await this.#command({ type: "set-peers", peers: this.#peers });
      await this.#command({ type: "set-groups", groups: this.#groups });
      for (const portId of [...this.#ports.keys()]) {
        const config = this.#ports.get(portId); // may have been replaced since, and must not be set back
        if (config === undefined) continue;
        await this.#command({ type: "set-port", config }).catch((error: unknown) => {
          if (!isReason(error, "PORT_INVALID")) throw error;
          this.#ports.delete(portId); // it came while no thread could check it
          this.#options.log.error("switch.port.refused", { portId, error });
        });
      }
      this.#options.log.info("switch.worker.restarted", { ports: this.#ports.size });
    } catch (error) {
      this.#options.log.error("switch.worker.restart_failed", { error });
      await this.#worker?.terminate(); // its exit starts the next attempt
    }
  }
}

const isReason = (error: unknown, reason: string): boolean =>
  error instanceof Error && "reason" in error && error.reason === reason;

/** Makes a thrown error of what the other thread reported. */
function fromWire(error: WireError): KilonovaError {
  const { facts } = error;
  switch (error.reason) {
    case "PORT_INVALID":
      return SwitchErrors.PORT_INVALID({
        portId: facts["portId"] ?? "",
        problem: facts["problem"] ?? error.message,
      });
    case "TUNNEL_UNAVAILABLE":
      return SwitchErrors.TUNNEL_UNAVAILABLE({
        address: facts["address"] ?? "",
        port: Number(facts["port"]),
        problem: facts["problem"] ?? error.message,
      });
    case "CONFIG_INVALID":
      return SwitchErrors.CONFIG_INVALID({ problem: facts["problem"] ?? error.message });
    default:
      return CommonErrors.INTERNAL({}, { cause: new Error(error.message) });
  }
}
