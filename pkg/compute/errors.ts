import { defineErrors } from "../kernel/index.js";

/** Every reason a compute agent can give. */
export const AgentErrors = defineErrors("compute", {
  WRONG_HOST: [
    "invalid",
    (p: { host: string; expected: string }) => `This agent speaks for ${p.expected}, not for ${p.host}.`,
  ],
  FENCE_LOST: [
    "conflict",
    (p: { serverId: string; fence: string; seen: string }) =>
      `Another operation owns server ${p.serverId} now.`,
  ],
  COMMAND_UNDONE: ["refused", (_p: { commandId: string }) => "The command was undone before it ran."],
  COMMAND_SUPERSEDED: [
    "cancelled",
    (p: { serverId: string }) => `A newer command for server ${p.serverId} took over.`,
  ],
  COMMAND_CANCELLED: [
    "cancelled",
    (_p: { serverId: string }) => "The command was stopped because its operation was given up.",
  ],
  UNKNOWN_COMMAND: [
    "unsupported",
    (p: { command: string }) => `The host's agent does not know the command ${p.command}.`,
  ],
  CAPABILITY_MISSING: [
    "unsupported",
    (p: { capability: string }) => `The host cannot do this (${p.capability}).`,
  ],
  BASE_IMAGE_LOST: [
    "refused",
    (_p: { serverId: string; file: string }) =>
      "An image that the server's disk was made from is not on its host any more and cannot be had again.",
  ],
  GUEST_NOT_FOUND: ["missing", (p: { serverId: string }) => `Server ${p.serverId} is not on this host.`],
  NO_CONSOLE: [
    "unsupported",
    (_p: Record<string, never>) => "The console log is not available on this host.",
  ],
  CONSOLE_CLOSED: ["refused", (_p: Record<string, never>) => "The console is not open."],
  TOO_MANY_CONSOLES: [
    "quota",
    (p: { limit: number }) => `${p.limit} consoles of this server are open; no more are let in.`,
    { subject: "consoles" },
  ],
  NOT_FAKE: ["unsupported", (_p: Record<string, never>) => "Only the fake driver can be scripted."],
  VENDORDATA_FAILED: ["unavailable", (_p: Record<string, never>) => "A vendor data service did not answer."],
  VENDORDATA_FILE_UNUSABLE: [
    "internal",
    (_p: Record<string, never>) => "The vendor data of this deployment cannot be read.",
  ],
  /** Servers' owners see it: it names no path. That is in the cause, which is logged. */
  JOURNAL_BROKEN: ["internal", (_p: Record<string, never>) => "The agent's journal cannot be written."],
  JOURNAL_UNREADABLE: [
    "refused",
    (p: { path: string; problem: string }) =>
      `The agent's journal ${p.path} cannot be read: ${p.problem}. The agent does not start, since it would not know which operations lost their server. Nothing was changed. Mend the disk or the file's rights and start again; when the file is spoiled for good, see "A journal that cannot be read" in docs/operator/deploying.md.`,
  ],
  JOURNAL_LOST: [
    "refused",
    (p: { path: string }) =>
      `The agent's journal ${p.path} is gone, and this host had one. The agent does not start, since it would not know which operations lost their server. See "A journal that cannot be read" in docs/operator/deploying.md.`,
  ],
});
