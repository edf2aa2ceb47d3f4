import type { Microversion } from "./version.js";
import { MAX_VERSION, MIN_VERSION } from "./version.js";

/** What the version headers of a request ask for. */
export type Negotiated =
  | { readonly kind: "version"; readonly version: Microversion }
  | { readonly kind: "malformed"; readonly asked: string }
  | { readonly kind: "unsupported"; readonly asked: string };

const FORMAT = /^([1-9]\d*)\.([1-9]\d*|0)$/;

/**
 * Reads `OpenStack-API-Version` (a comma list over several services; the last `compute` entry counts), and
 * only when that names no compute version `X-OpenStack-Nova-API-Version`. Neither means 2.1.
 */
export function negotiate(generic: string | undefined, legacy: string | undefined): Negotiated {
  const asked = computeEntry(generic) ?? legacy?.trim();
  if (asked === undefined) return { kind: "version", version: MIN_VERSION };
  if (asked === "latest") return { kind: "version", version: MAX_VERSION };
  const match = FORMAT.exec(asked);
  if (!match) return { kind: "malformed", asked };
  const version = Number(match[2]);
  if (match[1] !== "2" || version < MIN_VERSION || version > MAX_VERSION)
    return { kind: "unsupported", asked };
  return { kind: "version", version };
}

/** An entry is `<service> <version>`; without a service name it says nothing. */
function computeEntry(header: string | undefined): string | undefined {
  let found: string | undefined;
  for (const entry of header?.split(",") ?? []) {
    const [service = "", ...version] = entry.trim().split(/\s+/);
    if (service.toLowerCase() === "compute") found = version.join(" ");
  }
  return found;
}
