import { anApi } from "../../pkg/api/testing/an-api.js";
import { BlockDeviceRecord } from "../../gen/kilonova/cells/v1/server_records.js";
import { capabilitiesOf } from "../../pkg/compute/capabilities.js";
import type { Driver, OptionalMethod } from "../../pkg/compute/driver.js";
import { guestVolume } from "../../pkg/compute/volumes/index.js";
import { KilonovaError } from "../../pkg/kernel/index.js";
import { catalogue } from "../../pkg/model/operation-catalogue.js";

/** What the code must have, so that a feature is there. All of it. */
export interface Needs {
  /** Methods of the public contract that are served. Of what they begin, the driver has the capability. */
  readonly methods?: readonly string[];
  /** Optional methods of the driver. */
  readonly driver?: readonly OptionalMethod[];
  /** Beginnings of traits that the driver's hosts report. */
  readonly traits?: readonly string[];
  /** Protocol of volumes, as the Block Storage service names it. */
  readonly protocol?: string;
}

/** One row of Nova's matrix of features. */
export interface Feature {
  /** Its id in Nova's support matrix. */
  readonly row: string;
  readonly what: string;
  /** Absent: nobody has built it; `lacks` says what there is instead. */
  readonly needs?: Needs;
  /** What is not as in Nova although the needs are met; gone once `until` is met. */
  readonly lacks?: { readonly why: string; readonly until?: Needs };
  /** What of it a driver does not do, by the driver's name. */
  readonly short?: Readonly<Record<string, { readonly mark: "partial" | "missing"; readonly why: string }>>;
  /** Tests that show it, from the project's root. */
  readonly tests: readonly string[];
}

/** A driver as the page sees it. */
export interface JudgedDriver {
  readonly name: string;
  readonly driver: Driver;
  readonly traits: readonly string[];
}

export interface Mark {
  readonly mark: "complete" | "partial" | "missing";
  /** "" when there is nothing to say. */
  readonly why: string;
}

/** Methods of the public contract that something serves. */
const served = new Set(
  anApi().service.bindings.flatMap(({ methods }) =>
    methods.filter((method) => method.served).map(({ method }) => method),
  ),
);

/** What of the needs is not there; "" when all is. */
function lackOf(
  { methods = [], driver: wanted = [], traits = [], protocol }: Needs,
  { driver, traits: reported }: JudgedDriver,
): string {
  const capabilities = new Set(capabilitiesOf(driver));
  for (const method of methods) {
    if (!served.has(method)) return `\`${method}\` is not served`;
    const capability = catalogue.begunBy(method)?.capability;
    if (capability !== undefined && !capabilities.has(capability))
      return `the driver has not the capability \`${capability}\``;
  }
  const method = wanted.find((name) => driver[name] === undefined);
  if (method !== undefined) return `the driver has no \`${method}\``;
  const trait = traits.find((one) => !reported.some((name) => name.startsWith(one)));
  if (trait !== undefined) return `hosts do not report \`${trait}\``;
  if (protocol !== undefined && !connects(protocol)) return `volumes are not reached over \`${protocol}\``;
  return "";
}

/** Whether guests reach volumes over a protocol. */
function connects(protocol: string): boolean {
  try {
    guestVolume(
      BlockDeviceRecord.fromPartial({ connectionInfo: JSON.stringify({ driver_volume_type: protocol }) }),
    );
    return true;
  } catch (error) {
    return !(error instanceof KilonovaError && error.reason === "CONNECTION_NOT_SUPPORTED");
  }
}

/** How far a driver has a feature. */
export function judge({ needs, lacks, short }: Feature, driver: JudgedDriver): Mark {
  if (needs === undefined) return { mark: "missing", why: lacks?.why ?? "" };
  const lack = lackOf(needs, driver);
  if (lack !== "") return { mark: "missing", why: lack };
  const own = short?.[driver.name];
  if (own?.mark === "missing") return own;
  const still = lacks !== undefined && (lacks.until === undefined || lackOf(lacks.until, driver) !== "");
  const why = [still ? lacks.why : "", own?.why ?? ""].filter(Boolean).join("; ");
  return { mark: why === "" ? "complete" : "partial", why };
}
