import type { TcpSegment } from "../packet/tcp.js";
import { sequenceAdd, sequenceDiff, tcpFlag } from "../packet/tcp.js";

/** What a connection does to the world; all synchronous. */
export interface TcpOutputs {
  send(segment: TcpSegment): void;
  /** Bytes the peer sent, in order, each once. */
  data(bytes: Buffer): void;
  /** The peer will send no more. */
  peerEnded(): void;
  /** Some of what was written has arrived. */
  acknowledged(): void;
  /** Nothing more will happen; called exactly once. */
  closed(why: "finished" | "reset" | "timeout"): void;
  /** How many more bytes the application will take now. */
  receiveSpace(): number;
}

/** Fixed start of the retransmission timer: the link is a local socket, only a starved guest is slow. */
const firstRetransmitMs = 500;
const longestRetransmitMs = 8_000;
/** About 40 s of silence in all. */
const maxRetransmits = 8;
const handshakeTimeoutMs = 10_000;
/** A quiet connection; the HTTP server above gives up much earlier. */
const idleTimeoutMs = 120_000;
/**
 * Long enough to answer a repeated FIN; the port's peer cannot be confused with another, so not RFC 9293's
 * minutes.
 */
const lingerMs = 2_000;
const firstCongestionSegments = 10;
const maxWindow = 65_535;

/**
 * The server's side of one TCP connection (RFC 9293 without options but MSS): passive open, retransmission
 * with slow start and fast retransmit, flow control both ways, orderly and abortive close. Out-of-order data
 * is dropped and asked for again. Pure: time comes in as `nowMs`, effects go out through `TcpOutputs`.
 */
export class TcpConnection {
  readonly #out: TcpOutputs;
  readonly #localPort: number;
  readonly #remotePort: number;
  readonly #ownMss: number;
  readonly #mss: number;
  readonly #initialSequence: number;

  #established = false;
  #closed = false;
  /** Segments sent so far: tells whether an answer still needs one of its own. */
  #sent = 0;
  /**
   * Unacknowledged and unsent bytes; the first has sequence number `#unacknowledged` (+1 before the handshake
   * is done).
   */
  #buffer: Buffer = Buffer.alloc(0);
  #unacknowledged: number;
  #next: number;
  /** The furthest sequence number ever sent; `#next` falls behind it while retransmitting. */
  #furthest: number;
  #endWanted = false;
  #endAcknowledged = false;
  #peerWindow: number;
  #congestionWindow: number;
  #duplicates = 0;
  #retransmits = 0;
  #timerAtMs: number | undefined;

  #received: number;
  #peerEnded = false;
  #advertised = 0;
  #lastHeardMs: number;
  #lingerUntilMs: number | undefined;

  /**
   * Answers `syn` at once.
   * @param ownMss  largest segment this side takes: the port's MTU without IP and TCP headers
   */
  constructor(
    syn: TcpSegment,
    init: { ownMss: number; initialSequence: number; nowMs: number },
    out: TcpOutputs,
  ) {
    this.#out = out;
    this.#localPort = syn.destinationPort;
    this.#remotePort = syn.sourcePort;
    this.#ownMss = init.ownMss;
    this.#mss = Math.max(64, Math.min(init.ownMss, syn.mss ?? 536));
    this.#initialSequence = init.initialSequence;
    this.#unacknowledged = init.initialSequence;
    this.#next = sequenceAdd(init.initialSequence, 1);
    this.#furthest = this.#next;
    this.#received = sequenceAdd(syn.sequence, 1);
    this.#peerWindow = syn.window;
    this.#congestionWindow = firstCongestionSegments * this.#mss;
    this.#lastHeardMs = init.nowMs;
    this.#sendSynAck(init.nowMs);
  }

  get closed(): boolean {
    return this.#closed;
  }
  /**
   * Both sides have ended; it is only kept for a repeated last segment and may be given up for a new
   * connection.
   */
  get lingering(): boolean {
    return this.#lingerUntilMs !== undefined;
  }
  /** Bytes written that the peer has not acknowledged. */
  get bufferedBytes(): number {
    return this.#buffer.length;
  }

  write(bytes: Buffer, nowMs: number): void {
    if (this.#closed || this.#endWanted) return;
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
    this.#transmit(nowMs);
  }

  /** Ends this side after all that was written. */
  end(nowMs: number): void {
    if (this.#closed || this.#endWanted) return;
    this.#endWanted = true;
    this.#transmit(nowMs);
  }

  /** Resets the connection. */
  abort(why: "reset" | "timeout" = "reset"): void {
    if (this.#closed) return;
    this.#emit(tcpFlag.rst | tcpFlag.ack, this.#next);
    this.#finish(why);
  }

  /** The application has taken bytes: tells the peer when its window was nearly shut. */
  spaceFreed(): void {
    if (this.#closed || !this.#established || this.#peerEnded) return;
    if (this.#advertised < this.#ownMss && this.#window() >= this.#ownMss)
      this.#emit(tcpFlag.ack, this.#next);
  }

  receive(segment: TcpSegment, nowMs: number): void {
    if (this.#closed) return;
    if ((segment.flags & tcpFlag.rst) !== 0) {
      this.#receiveReset(segment);
      return;
    }
    this.#lastHeardMs = nowMs;
    if ((segment.flags & tcpFlag.syn) !== 0) {
      this.#receiveSyn(segment, nowMs);
      return;
    }
    if ((segment.flags & tcpFlag.ack) === 0) return;
    const sentBefore = this.#sent;
    if (!this.#receiveAcknowledgement(segment, nowMs)) return;
    const answer = this.#receiveData(segment, nowMs);
    if (this.#closed) return; // the application may have ended it while it got the data
    this.#transmit(nowMs);
    if (answer && this.#sent === sentBefore) this.#emit(tcpFlag.ack, this.#next);
    this.#finishIfDone(nowMs);
  }

  /** Drives all timers; call about ten times a second while open. */
  tick(nowMs: number): void {
    if (this.#closed) return;
    if (this.#lingerUntilMs !== undefined) {
      if (nowMs >= this.#lingerUntilMs) this.#finish("finished");
      return;
    }
    const patience = this.#established ? idleTimeoutMs : handshakeTimeoutMs;
    if (nowMs - this.#lastHeardMs >= patience) {
      this.abort("timeout");
      return;
    }
    if (this.#timerAtMs === undefined || nowMs < this.#timerAtMs) return;
    this.#retransmits += 1;
    if (this.#retransmits > maxRetransmits) {
      this.abort("timeout");
      return;
    }
    this.#retransmit(nowMs);
  }

  #retransmit(nowMs: number): void {
    if (!this.#established) {
      this.#sendSynAck(nowMs);
      return;
    }
    this.#congestionWindow = this.#mss;
    this.#next = this.#unacknowledged;
    this.#transmit(nowMs, true);
  }

  #receiveReset(segment: TcpSegment): void {
    const distance = sequenceDiff(segment.sequence, this.#received);
    if (distance >= 0 && distance <= maxWindow) this.#finish("reset");
  }

  #receiveSyn(segment: TcpSegment, nowMs: number): void {
    const isRepeated = !this.#established && sequenceAdd(segment.sequence, 1) === this.#received;
    if (isRepeated) this.#sendSynAck(nowMs);
    // RFC 5961: a rebooted peer answers this with a reset and may then begin anew
    else this.#emit(tcpFlag.ack, this.#next);
  }

  /** @returns false when the segment is not to be looked at any further */
  #receiveAcknowledgement(segment: TcpSegment, nowMs: number): boolean {
    const newlyAcknowledged = sequenceDiff(segment.acknowledgement, this.#unacknowledged);
    if (sequenceDiff(segment.acknowledgement, this.#furthest) > 0) {
      if (this.#established) this.#emit(tcpFlag.ack, this.#next);
      else this.abort();
      return false;
    }
    if (!this.#established && newlyAcknowledged < 1) return false;
    if (newlyAcknowledged > 0) this.#advance(newlyAcknowledged, segment.acknowledgement, nowMs);
    else if (newlyAcknowledged === 0) this.#countDuplicate(segment, nowMs);
    if (newlyAcknowledged >= 0) this.#peerWindow = segment.window;
    return true;
  }

  #advance(count: number, acknowledgement: number, nowMs: number): void {
    const controlBytes = this.#established ? 0 : 1; // our SYN
    const dataBytes = Math.min(count - controlBytes, this.#buffer.length);
    if (this.#endWanted && count - controlBytes > this.#buffer.length) this.#endAcknowledged = true;
    this.#established = true;
    this.#buffer = this.#buffer.subarray(dataBytes);
    this.#unacknowledged = acknowledgement;
    if (sequenceDiff(this.#next, acknowledgement) < 0) this.#next = acknowledgement;
    this.#duplicates = 0;
    this.#retransmits = 0;
    if (dataBytes > 0) this.#congestionWindow = Math.min(maxWindow, this.#congestionWindow + this.#mss);
    this.#timerAtMs = this.#inFlight > 0 ? nowMs + firstRetransmitMs : undefined;
    if (dataBytes > 0) this.#out.acknowledged();
  }

  /** Three acknowledgements of the same byte mean that the segment behind it was lost. */
  #countDuplicate(segment: TcpSegment, nowMs: number): void {
    if (this.#inFlight === 0 || segment.payload.length > 0 || segment.window !== this.#peerWindow) return;
    this.#duplicates += 1;
    if (this.#duplicates !== 3) return;
    this.#congestionWindow = Math.max(2 * this.#mss, Math.floor(this.#congestionWindow / 2));
    this.#next = this.#unacknowledged;
    this.#transmit(nowMs, true);
  }

  /** @returns whether the peer must get an acknowledgement */
  #receiveData(segment: TcpSegment, nowMs: number): boolean {
    const isFin = (segment.flags & tcpFlag.fin) !== 0;
    // keep-alive probe
    if (segment.payload.length === 0 && !isFin) return sequenceDiff(segment.sequence, this.#received) < 0;
    const already = sequenceDiff(this.#received, segment.sequence);
    if (already < 0 || this.#peerEnded) {
      if (this.#lingerUntilMs !== undefined) this.#lingerUntilMs = nowMs + lingerMs;
      return true;
    }
    const fresh = segment.payload.subarray(Math.min(already, segment.payload.length));
    const taken = fresh.subarray(0, this.#window());
    if (taken.length > 0) {
      this.#received = sequenceAdd(this.#received, taken.length);
      this.#out.data(taken);
    }
    if (isFin && taken.length === fresh.length && already <= segment.payload.length) {
      this.#received = sequenceAdd(this.#received, 1);
      this.#peerEnded = true;
      this.#out.peerEnded();
    }
    return true;
  }

  get #inFlight(): number {
    return sequenceDiff(this.#next, this.#unacknowledged);
  }

  /**
   * Sends what both windows allow. @param force  at least one segment (or one byte, to probe a shut window)
   */
  #transmit(nowMs: number, force = false): void {
    if (!this.#established || this.#closed) return;
    const window = Math.min(this.#peerWindow, this.#congestionWindow);
    for (let must = force; ; must = false) {
      const sentBytes = Math.min(this.#inFlight, this.#buffer.length);
      const waiting = this.#buffer.length - sentBytes;
      const endSent = this.#inFlight > this.#buffer.length || this.#endAcknowledged;
      if (waiting > 0) {
        const room = Math.max(window - this.#inFlight, must ? 1 : 0);
        const size = Math.min(this.#mss, waiting, room);
        // No small segments while others are under way, unless it is all there is (silly window avoidance).
        if (size <= 0 || (size < this.#mss && size < waiting && this.#inFlight > 0)) break;
        this.#emit(
          tcpFlag.ack | (size === waiting ? tcpFlag.psh : 0),
          this.#next,
          this.#buffer.subarray(sentBytes, sentBytes + size),
        );
        this.#next = sequenceAdd(this.#next, size);
      } else if (this.#endWanted && !endSent) {
        this.#emit(tcpFlag.ack | tcpFlag.fin, this.#next);
        this.#next = sequenceAdd(this.#next, 1);
      } else break;
      if (sequenceDiff(this.#next, this.#furthest) > 0) this.#furthest = this.#next;
    }
    const hasWork = this.#inFlight > 0 || this.#buffer.length > 0;
    if (!hasWork) this.#timerAtMs = undefined;
    else if (force || this.#timerAtMs === undefined) this.#timerAtMs = nowMs + this.#retransmitDelayMs();
  }

  #retransmitDelayMs(): number {
    return Math.min(longestRetransmitMs, firstRetransmitMs * 2 ** this.#retransmits);
  }

  #sendSynAck(nowMs: number): void {
    this.#emit(tcpFlag.syn | tcpFlag.ack, this.#initialSequence, undefined, this.#ownMss);
    this.#timerAtMs = nowMs + this.#retransmitDelayMs();
  }

  #window(): number {
    return Math.max(0, Math.min(maxWindow, this.#out.receiveSpace()));
  }

  #emit(flags: number, sequence: number, payload: Buffer = Buffer.alloc(0), mss?: number): void {
    this.#advertised = this.#window();
    this.#sent += 1;
    this.#out.send({
      sourcePort: this.#localPort,
      destinationPort: this.#remotePort,
      sequence,
      acknowledgement: this.#received,
      flags,
      window: this.#advertised,
      payload,
      ...(mss === undefined ? {} : { mss }),
    });
  }

  #finishIfDone(nowMs: number): void {
    if (this.#closed || !this.#peerEnded || !this.#endAcknowledged || this.lingering) return;
    this.#lingerUntilMs = nowMs + lingerMs;
  }

  #finish(why: "finished" | "reset" | "timeout"): void {
    this.#closed = true;
    this.#timerAtMs = undefined;
    this.#buffer = Buffer.alloc(0);
    this.#out.closed(why);
  }
}
