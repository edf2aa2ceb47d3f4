import type { IpHex } from "../packet/address.js";
import type { TcpSegment } from "../packet/tcp.js";
import { sequenceAdd, tcpFlag } from "../packet/tcp.js";
import { TcpConnection } from "./connection.js";
import { TcpStream } from "./stream.js";

export interface TcpStackOptions {
  /** The port's MTU without IP and TCP headers. */
  readonly mss: () => number;
  /** Open connections at a time; more are refused. */
  readonly maxConnections: number;
  /**
   * Start of a connection's sequence numbers; random, so that an old segment does not fit a new connection.
   */
  readonly initialSequence: () => number;
  readonly now: () => number;
  /** Sends a segment to the guest's address. */
  readonly send: (remoteIp: IpHex, segment: TcpSegment) => void;
  readonly accept: (stream: TcpStream) => void;
}

/**
 * The TCP server that the switch itself runs towards one port: connections to one service address and port.
 */
export class TcpStack {
  readonly #options: TcpStackOptions;
  readonly #connections = new Map<string, { connection: TcpConnection; stream: TcpStream }>();

  constructor(options: TcpStackOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#connections.size;
  }

  receive(remoteIp: IpHex, segment: TcpSegment): void {
    const key = `${remoteIp} ${segment.sourcePort} ${segment.destinationPort}`;
    const isOpening = (segment.flags & (tcpFlag.syn | tcpFlag.ack | tcpFlag.rst)) === tcpFlag.syn;
    const known = this.#connections.get(key);
    if (known && !(isOpening && known.connection.lingering)) {
      known.connection.receive(segment, this.#options.now());
      return;
    }
    if (!isOpening) {
      this.#refuse(remoteIp, segment);
      return;
    }
    if (this.#connections.size >= this.#options.maxConnections) this.#forgetLingering();
    if (this.#connections.size >= this.#options.maxConnections) {
      this.#refuse(remoteIp, segment);
      return;
    }
    this.#open(key, remoteIp, segment);
  }

  /** Drives the timers of all connections. */
  tick(): void {
    const nowMs = this.#options.now();
    for (const { connection } of this.#connections.values()) connection.tick(nowMs);
  }

  /** Resets everything. */
  close(): void {
    for (const { connection } of [...this.#connections.values()]) connection.abort();
  }

  #open(key: string, remoteIp: IpHex, syn: TcpSegment): void {
    const { now } = this.#options;
    const stream = new TcpStream(now);
    const connection = new TcpConnection(
      syn,
      { ownMss: this.#options.mss(), initialSequence: this.#options.initialSequence(), nowMs: now() },
      {
        send: (segment) => this.#options.send(remoteIp, segment),
        data: (bytes) => stream.received(bytes),
        peerEnded: () => stream.peerEnded(),
        acknowledged: () => stream.acknowledged(),
        closed: (why) => {
          if (this.#connections.get(key)?.connection === connection) this.#connections.delete(key);
          stream.connectionClosed(why);
        },
        receiveSpace: () => stream.receiveSpace(),
      },
    );
    stream.attach(connection);
    this.#connections.set(key, { connection, stream });
    this.#options.accept(stream);
  }

  #forgetLingering(): void {
    for (const [key, { connection }] of this.#connections)
      if (connection.lingering) this.#connections.delete(key);
  }

  #refuse(remoteIp: IpHex, segment: TcpSegment): void {
    if ((segment.flags & tcpFlag.rst) !== 0) return;
    const length =
      segment.payload.length +
      ((segment.flags & tcpFlag.syn) !== 0 ? 1 : 0) +
      ((segment.flags & tcpFlag.fin) !== 0 ? 1 : 0);
    const isAnswer = (segment.flags & tcpFlag.ack) !== 0;
    this.#options.send(remoteIp, {
      sourcePort: segment.destinationPort,
      destinationPort: segment.sourcePort,
      window: 0,
      payload: Buffer.alloc(0),
      sequence: isAnswer ? segment.acknowledgement : 0,
      acknowledgement: isAnswer ? 0 : sequenceAdd(segment.sequence, length),
      flags: isAnswer ? tcpFlag.rst : tcpFlag.rst | tcpFlag.ack,
    });
  }
}
