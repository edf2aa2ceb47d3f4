import { CommonErrors, defineErrors } from "../../kernel/index.js";
import type { KilonovaError } from "../../kernel/index.js";
import type { HttpAnswer } from "../../platform/http/index.js";

/** What may go wrong between us and the Network service. */
export const NeutronErrors = defineErrors("neutron", {
  NETWORK_NOT_FOUND: ["missing", (p: { id: string }) => `Network ${p.id} could not be found.`],
  PORT_NOT_FOUND: ["missing", (p: { id: string }) => `Port ${p.id} could not be found.`],
  SECURITY_GROUP_NOT_FOUND: ["missing", (p: { id: string }) => `Security group ${p.id} not found.`],
  FLOATING_IP_NOT_FOUND: ["missing", (p: { id: string }) => `Floating IP ${p.id} could not be found.`],
  NOT_FOUND: ["missing", (p: { id: string }) => `${p.id} could not be found.`],
  NO_MORE_FIXED_IPS: [
    "refused",
    (p: { id: string }) => `No fixed IP addresses available for network: ${p.id}`,
  ],
  FIXED_IP_IN_USE: ["refused", (p: { problem: string }) => p.problem],
  INVALID_FIXED_IP: ["invalid", (p: { problem: string }) => p.problem],
  MAC_IN_USE: ["refused", (p: { problem: string }) => p.problem],
  PORT_IN_USE: ["refused", (p: { id: string }) => `Port ${p.id} is still in use.`],
  PORT_BINDING_EXISTS: ["exists", (p: { id: string }) => `Port ${p.id} has a binding to that host already.`],
  PORT_BINDING_FAILED: [
    "refused",
    (p: { id: string }) => `Binding failed for port ${p.id}, please check neutron logs for more information.`,
  ],
  PORT_LIMIT_EXCEEDED: [
    "quota",
    (_p: Record<string, never>) => "Maximum number of ports exceeded",
    { subject: "ports" },
  ],
  QUOTA_EXCEEDED: ["quota", (p: { problem: string }) => p.problem, { subject: "network" }],
  NETWORK_FORBIDDEN: ["forbidden", (_p: Record<string, never>) => "The network service does not allow this."],
  NETWORK_CONFLICT: ["refused", (p: { problem: string }) => p.problem],
  NETWORK_INVALID: ["invalid", (p: { problem: string }) => p.problem],
  TOKEN_REFUSED: [
    "unauthenticated",
    (_p: Record<string, never>) => "The request you have made requires authentication.",
  ],
  NETWORK_UNAVAILABLE: [
    "unavailable",
    (_p: Record<string, never>) => "The Network service is unavailable at this time.",
  ],
  UNEXPECTED_ANSWER: [
    "internal",
    (_p: Record<string, never>) => "The Network service gave an answer that could not be understood.",
  ],
});

interface Refusal {
  readonly type: string;
  readonly message: string;
  readonly id: string;
  readonly cause: Error;
}

/** Neutron's exception names, and what they are to us. */
const byType: Readonly<Record<string, (refusal: Refusal) => KilonovaError>> = {
  NetworkNotFound: ({ id, cause }) => NeutronErrors.NETWORK_NOT_FOUND({ id }, { cause }),
  PortNotFound: ({ id, cause }) => NeutronErrors.PORT_NOT_FOUND({ id }, { cause }),
  PortNotFoundClient: ({ id, cause }) => NeutronErrors.PORT_NOT_FOUND({ id }, { cause }),
  SecurityGroupNotFound: ({ message, id, cause }) =>
    NeutronErrors.SECURITY_GROUP_NOT_FOUND({ id: idIn(message) ?? id }, { cause }),
  FloatingIPNotFound: ({ id, cause }) => NeutronErrors.FLOATING_IP_NOT_FOUND({ id }, { cause }),
  IpAddressGenerationFailure: ({ id, cause }) => NeutronErrors.NO_MORE_FIXED_IPS({ id }, { cause }),
  ExternalIpAddressExhausted: ({ id, cause }) => NeutronErrors.NO_MORE_FIXED_IPS({ id }, { cause }),
  IpAddressInUse: ({ message, cause }) => NeutronErrors.FIXED_IP_IN_USE({ problem: message }, { cause }),
  IpAddressAlreadyAllocated: ({ message, cause }) =>
    NeutronErrors.FIXED_IP_IN_USE({ problem: message }, { cause }),
  InvalidIpForNetwork: ({ message, cause }) =>
    NeutronErrors.INVALID_FIXED_IP({ problem: message }, { cause }),
  InvalidIpForSubnet: ({ message, cause }) => NeutronErrors.INVALID_FIXED_IP({ problem: message }, { cause }),
  MacAddressInUse: ({ message, cause }) => NeutronErrors.MAC_IN_USE({ problem: message }, { cause }),
  PortInUse: ({ id, cause }) => NeutronErrors.PORT_IN_USE({ id }, { cause }),
  PortBindingAlreadyExists: ({ id, cause }) => NeutronErrors.PORT_BINDING_EXISTS({ id }, { cause }),
  OverQuota: ({ message, cause }) =>
    message.includes("port")
      ? NeutronErrors.PORT_LIMIT_EXCEEDED({}, { cause })
      : NeutronErrors.QUOTA_EXCEEDED({ problem: message }, { cause }),
};

/** The error for an answer that is no success: by Neutron's own type where we know it, else by status. */
export function failureOfAnswer(answer: HttpAnswer, id: string): KilonovaError {
  const { type, message } = neutronError(answer.json);
  const cause = new Error(`status ${answer.status} ${type}`);
  const known = Object.hasOwn(byType, type) ? byType[type] : undefined;
  if (known) return known({ type, message, id, cause });
  switch (answer.status) {
    case 400:
      return NeutronErrors.NETWORK_INVALID({ problem: message || "Bad request" }, { cause });
    case 401:
      return NeutronErrors.TOKEN_REFUSED({}, { cause });
    case 403:
      return NeutronErrors.NETWORK_FORBIDDEN({}, { cause });
    case 404:
      return NeutronErrors.NOT_FOUND({ id }, { cause });
    case 409:
      return NeutronErrors.NETWORK_CONFLICT({ problem: message || "Conflict" }, { cause });
    case 413:
      return NeutronErrors.QUOTA_EXCEEDED({ problem: message || "Over limit" }, { cause });
    case 502:
    case 503:
    case 504:
      return NeutronErrors.NETWORK_UNAVAILABLE({}, { cause });
    default:
      return CommonErrors.INTERNAL({}, { cause });
  }
}

function neutronError(json: unknown): { type: string; message: string } {
  const inner =
    typeof json === "object" && json !== null && "NeutronError" in json ? json.NeutronError : undefined;
  if (typeof inner === "string") return { type: "", message: inner };
  if (typeof inner !== "object" || inner === null) return { type: "", message: "" };
  const { type, message } = inner as { readonly type?: unknown; readonly message?: unknown };
  return { type: typeof type === "string" ? type : "", message: typeof message === "string" ? message : "" };
}

const idIn = (message: string): string | undefined =>
  /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(message)?.[0];
