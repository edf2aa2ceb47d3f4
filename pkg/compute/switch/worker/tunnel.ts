import type { Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { SwitchErrors } from "../errors.js";
import type { PeerConfig } from "../port-config.js";

/** Packets handed to the kernel and not yet sent; more are dropped, as any network would. */
const maxQueuedPackets = 1_024;
const socketBufferBytes = 4 << 20;

export interface TunnelAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * The UDP socket between the switches. It sends from the port on which it listens, by which peers know each
 * other.
 */
export interface Tunnel {
  readonly local: TunnelAddress;
  send(peer: PeerConfig, header: Buffer, frame: Buffer): void;
  /** Packets dropped because the queue was full or the kernel refused them. */
  readonly drops: () => number;
  close(): void;
}

/** @param wanted  port 0 takes any free one. @throws TUNNEL_UNAVAILABLE */
export async function openTunnel(
  wanted: TunnelAddress,
  onPacket: (address: string, port: number, bytes: Buffer) => void,
): Promise<Tunnel> {
  const socket: Socket = createSocket({ type: isIPv6(wanted.address) ? "udp6" : "udp4" });
  socket.bind(wanted.port, wanted.address);
  try {
    await once(socket, "listening");
  } catch (error) {
    throw SwitchErrors.TUNNEL_UNAVAILABLE(
      { ...wanted, problem: error instanceof Error ? error.message : String(error) },
      { cause: error },
    );
  }
  trySetBuffers(socket);
  let queued = 0;
  let drops = 0;
  socket.on("message", (bytes, from) => onPacket(from.address, from.port, bytes));
  socket.on("error", () => {
    drops += 1;
  });
  return {
    local: { address: wanted.address, port: socket.address().port },
    send: (peer, header, frame) => {
      if (queued >= maxQueuedPackets) {
        drops += 1;
        return;
      }
      queued += 1;
      socket.send([header, frame], peer.port, peer.address, (error) => {
        queued -= 1;
        if (error) drops += 1;
      });
    },
    drops: () => drops,
    close: () => socket.close(),
  };
}

/** A wish, not a need: some kernels and sandboxes do not grant it. */
function trySetBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(socketBufferBytes);
    socket.setSendBufferSize(socketBufferBytes);
  } catch {
    return;
  }
}
