import { asKilonovaError } from "../../../kernel/index.js";
import { VirtualSwitch } from "../datapath/virtual-switch.js";
import type {
  Command,
  FromWorker,
  MetadataRequest,
  MetadataResponse,
  SwitchStats,
  ToWorker,
  WireError,
  WorkerInit,
} from "../protocol.js";
import { ConversationFiles } from "./conversation-files.js";
import { metadataServer } from "./metadata-server.js";
import { PortLink } from "./port-link.js";
import type { Tunnel } from "./tunnel.js";
import { openTunnel } from "./tunnel.js";

const tickMs = 100;
const metadataTimeoutMs = 15_000;
/** Metadata requests that wait for the agent at a time, over all ports. */
const maxMetadataRequests = 256;

/** The worker's side of the switch: sockets, timers and messages around a `VirtualSwitch`. */
export class SwitchHost {
  readonly #post: (message: FromWorker) => void;
  readonly #links = new Map<string, PortLink>();
  readonly #waiting = new Map<number, (response: MetadataResponse) => void>();
  readonly #switch: VirtualSwitch;
  readonly #metadata = metadataServer((request) => this.#askAgent(request));
  readonly #timer: ReturnType<typeof setInterval>;
  #tunnel: Tunnel | undefined;
  #files: ConversationFiles | undefined;
  #lastRequest = 0;

  constructor(post: (message: FromWorker) => void) {
    this.#post = post;
    this.#switch = new VirtualSwitch({
      toGuest: (portId, frame) => {
        const link = this.#links.get(portId);
        return link === undefined ? "not-connected" : link.send(frame);
      },
      toPeer: (peer, header, frame) => this.#tunnel?.send(peer, header, frame),
      metadata: (port, stream) => this.#metadata.accept(port, stream),
      now: () => performance.now(),
    });
    this.#timer = setInterval(() => {
      this.#switch.tick();
      this.#files?.save(this.#switch.unkept(), performance.now());
    }, tickMs);
  }

  /** Finds what an earlier switch kept, opens the tunnel and reports `ready` or `failed`. */
  async start(init: WorkerInit): Promise<void> {
    try {
      const dir = init.conversationsDir;
      if (dir !== undefined)
        this.#files = new ConversationFiles(dir, (error) =>
          this.#post({ type: "keeping-failed", error: toWire(error) }),
        );
      this.#tunnel = await openTunnel(init.tunnel, (address, port, bytes) =>
        this.#switch.fromTunnel(address, port, bytes),
      );
      this.#post({ type: "ready", tunnelPort: this.#tunnel.local.port });
    } catch (error) {
      this.#post({ type: "failed", error: toWire(error) });
    }
  }

  receive(message: ToWorker): void {
    if (message.type === "metadata-reply") {
      this.#waiting.get(message.id)?.(message.response);
      return;
    }
    try {
      const stats = this.#obey(message);
      this.#post({ type: "reply", id: message.id, ok: true, ...(stats === undefined ? {} : { stats }) });
    } catch (error) {
      this.#post({ type: "reply", id: message.id, ok: false, error: toWire(error) });
    }
  }

  #obey(command: Command): SwitchStats | undefined {
    switch (command.type) {
      case "set-port": {
        const { portId, socketPath } = command.config;
        this.#switch.setPort(command.config);
        const link = this.#links.get(portId);
        if (link === undefined && this.#files !== undefined)
          this.#switch.restore(portId, this.#files.read(portId));
        if (link !== undefined) link.nudge(socketPath);
        else this.#links.set(portId, this.#makeLink(portId, socketPath));
        return undefined;
      }
      case "remove-port":
        this.#switch.removePort(command.portId);
        this.#files?.remove(command.portId);
        this.#links.get(command.portId)?.close();
        this.#links.delete(command.portId);
        return undefined;
      case "set-peers":
        this.#switch.setPeers(command.peers);
        return undefined;
      case "set-groups":
        this.#switch.setGroups(command.groups);
        return undefined;
      case "stats":
        return this.#stats();
      case "close":
        this.#close();
        return undefined;
    }
  }

  #makeLink(portId: string, socketPath: string): PortLink {
    return new PortLink(socketPath, {
      frame: (frame) => this.#switch.fromGuest(portId, frame),
      change: (connected) => this.#post({ type: "port-link", portId, connected }),
    });
  }

  #stats(): SwitchStats {
    return {
      ports: this.#switch.portStats((portId) => this.#links.get(portId)?.connected ?? false),
      tunnel: { ...this.#switch.tunnelStats(), queueDrops: this.#tunnel?.drops() ?? 0 },
    };
  }

  #askAgent(request: MetadataRequest): Promise<MetadataResponse> {
    if (this.#waiting.size >= maxMetadataRequests) return Promise.resolve(plainAnswer(503));
    const id = ++this.#lastRequest;
    return new Promise((resolve) => {
      const settle = (response: MetadataResponse): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(response);
      };
      const timer = setTimeout(() => settle(plainAnswer(504)), metadataTimeoutMs);
      this.#waiting.set(id, settle);
      this.#post({ type: "metadata-request", id, request });
    });
  }

  #close(): void {
    clearInterval(this.#timer);
    this.#files?.saveAll(this.#switch.unkept(), performance.now());
    for (const [portId, link] of this.#links) {
      this.#switch.removePort(portId);
      link.close();
    }
    this.#links.clear();
    for (const settle of [...this.#waiting.values()]) settle(plainAnswer(503));
    this.#metadata.close();
    this.#tunnel?.close();
  }
}

const plainAnswer = (status: number): MetadataResponse => ({ status, headers: {}, body: new Uint8Array() });

function toWire(error: unknown): WireError {
  const { reason, message, facts } = asKilonovaError(error);
  return { reason, message, facts };
}
