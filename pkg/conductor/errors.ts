import { defineErrors } from "../kernel/errors.js";

/** Reasons why operations fail that no other service gives. Messages are shown to tenants. */
export const ConductorErrors = defineErrors("conductor", {
  FENCE_LOST: [
    "conflict",
    (p: { operation: string }) => `Operation ${p.operation} is owned by somebody else now.`,
  ],
  STEP_DEADLINE: ["deadline", (p: { step: string }) => `Step ${p.step} did not finish in time.`],
  OPERATION_CANCELLED: ["cancelled", (_p: { operation: string }) => "The operation was cancelled."],
  NO_VALID_HOST: ["refused", (p: { detail: string }) => `No valid host was found. ${p.detail}`],
  MAX_RETRIES_EXCEEDED: [
    "refused",
    (p: { server: string }) =>
      `Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures for instance ${p.server}.`,
  ],
  OUTPUT_MISSING: [
    "internal",
    (_p: { step: string }) => "An unexpected error prevented the server from fulfilling the request.",
  ],
  UNKNOWN_STEP: [
    "internal",
    (p: { kind: string; step: string }) => `Operations of kind ${p.kind} have no step ${p.step}.`,
  ],
  UNKNOWN_KIND: [
    "internal",
    (_p: { kind: string }) => "An unexpected error prevented the server from fulfilling the request.",
  ],
  HOST_NOT_REGISTERED: [
    "unavailable",
    (p: { host: string }) => `Compute service of host ${p.host} is unavailable at this time.`,
  ],
  NETWORK_UNUSABLE: [
    "refused",
    (p: { network: string; problem: string }) => `Network ${p.network} cannot be used: ${p.problem}`,
  ],
  IMAGES_NOT_CACHED: [
    "refused",
    (p: { failed: string; images: string }) => `${p.failed} of ${p.images} images could not be cached.`,
  ],
  HOSTS_FAILED: [
    "refused",
    (p: { failed: string; hosts: string }) => `${p.failed} of ${p.hosts} hosts did not succeed.`,
  ],
  PORT_IN_USE: ["refused", (p: { port: string }) => `Port ${p.port} is still in use.`],
  PORT_NOT_FOUND: ["missing", (p: { port: string }) => `Port id ${p.port} could not be found.`],
  VOLUME_NOT_MADE: ["refused", (p: { problem: string }) => p.problem],
  USER_TOKEN_ENDED: [
    "refused",
    (_p: Record<string, never>) =>
      "The Block Storage service does not accept the token with which the server was asked for any more.",
  ],
  SHELVED_IMAGE_GONE: [
    "refused",
    (p: { image: string }) => `Unshelve attempted but the image ${p.image} cannot be found.`,
  ],
  VOLUME_NOT_REIMAGED: ["refused", (p: { problem: string }) => p.problem],
  SNAPSHOT_NOT_MADE: ["refused", (p: { problem: string }) => p.problem],
  QUIESCE_FAILED: [
    "refused",
    (p: { server: string }) =>
      `Failed to quiesce instance: the file systems of ${p.server} could not be frozen.`,
  ],
  VOLUME_ALREADY_ATTACHED: [
    "refused",
    (p: { volume: string }) => `Invalid volume: volume ${p.volume} already attached`,
  ],
  VOLUME_ATTACHMENT_NOT_FOUND: [
    "missing",
    (p: { server: string; volume: string }) => `Instance ${p.server} is not attached to volume ${p.volume}`,
  ],
  VOLUME_NOT_AVAILABLE: ["invalid", (p: { problem: string }) => p.problem],
  VOLUME_NOT_DETACHABLE: ["invalid", (p: { problem: string }) => `Invalid volume: ${p.problem}`],
  VOLUME_ENCRYPTED: [
    "invalid",
    (p: { volume: string; type?: string }) =>
      `Volume encryption is not supported for ${p.type ?? "encrypted"} volume ${p.volume}`,
  ],
  ROOT_VOLUME: ["invalid", (_p: Record<string, never>) => "Cannot detach a root device volume"],
  DEVICE_IN_USE: ["refused", (p: { device: string }) => `The supplied device path (${p.device}) is in use.`],
  TOO_MANY_VOLUMES: [
    "forbidden",
    (p: { maximum: number }) =>
      `The maximum allowed number of disk devices (${p.maximum}) to attach to a single instance has been exceeded.`,
  ],
  PORT_BINDING_FAILED: [
    "refused",
    (p: { port: string }) =>
      `Binding failed for port ${p.port}, please check neutron logs for more information.`,
  ],
});
