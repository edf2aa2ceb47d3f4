import type { Etcd3 } from "etcd3";
import type { Renewal } from "./keeper.js";
import { whenAborted } from "../../kernel/signals.js";

/**
 * How long one renewal may take before its stream is given up; a stalled one is indistinguishable from a slow
 * one.
 */
const RENEWAL_TIMEOUT_MS = 1_000;

type Stream = Awaited<ReturnType<Etcd3["leaseClient"]["leaseKeepAlive"]>>;

/**
 * Renewals of one lease over one stream, opened on first use and again after a failure. One request is under
 * way at a time, so an answer belongs to it; a late answer to a request given up goes with its stream.
 */
export function keepAlive(
  client: Etcd3,
  id: string,
): { renew(signal: AbortSignal): Promise<Renewal>; close(): void } {
  let stream: Stream | undefined;
  let answer: { resolve(renewal: Renewal): void; reject(error: unknown): void } | undefined;

  const drop = (error: unknown): void => {
    stream?.cancel();
    stream = undefined;
    answer?.reject(error);
  };

  async function open(): Promise<Stream> {
    const opened = await client.leaseClient.leaseKeepAlive({ deadline: Infinity });
    opened.on("data", ({ TTL }) => {
      if (opened === stream) answer?.resolve(Number(TTL) > 0 ? "renewed" : "gone");
    });
    opened.on("error", (error) => {
      if (opened === stream) drop(error);
    });
    opened.on("end", () => {
      if (opened === stream) drop(new Error("keep-alive stream ended"));
    });
    return opened;
  }

  return {
    close: () => drop(new Error("closed")),
    renew: async (signal) => {
      stream ??= await open();
      signal.throwIfAborted();
      const current = stream;
      const timer = setTimeout(() => drop(new Error("no answer to a renewal")), RENEWAL_TIMEOUT_MS);
      const leave = whenAborted(signal, () => drop(signal.reason));
      try {
        return await new Promise<Renewal>((resolve, reject) => {
          answer = { resolve, reject };
          current.write({ ID: id });
        });
      } finally {
        answer = undefined;
        clearTimeout(timer);
        leave();
      }
    },
  };
}
