import { defineErrors } from "../../kernel/index.js";

/** What the way to a service refuses by itself. */
export const RpcErrors = defineErrors("rpc", {
  CALLER_NOT_ALLOWED: [
    "forbidden",
    (p: { caller: string; method: string }) => `${p.caller || "This caller"} may not call ${p.method}.`,
  ],
  OVERLOADED: [
    "unavailable",
    (p: { method: string }) => `Too many requests are waiting for ${p.method}; try again later.`,
  ],
  NOT_SERVED: [
    "unsupported",
    (p: { method: string }) => `${p.method} is part of the contract, but not served yet.`,
  ],
  REQUEST_TOO_LARGE: [
    "quota",
    (p: { method: string; bytes: number | string; limitBytes: number }) =>
      `A request of ${p.method} has at most ${p.limitBytes} bytes; this one has ${p.bytes}.`,
    { subject: "request_bytes" },
  ],
  REQUEST_MALFORMED: [
    "invalid",
    (p: { method: string; problem?: string }) =>
      `This is not a request of ${p.method}: ${p.problem ?? "it could not be decoded"}.`,
  ],
  COMPRESSED: [
    "unsupported",
    (p: { encoding: string }) => `Requests are taken uncompressed; this one is "${p.encoding}".`,
  ],
  GOING_AWAY: ["unavailable", (_p: Record<string, never>) => "This server is stopping; call again."],
  CONNECTION_BROKEN: [
    "unavailable",
    (_p: Record<string, never>) => "The connection to a service broke while it worked on the request.",
  ],
  UNKNOWN_METHOD: ["unsupported", (p: { method: string }) => `${p.method} is not served here.`],
});
