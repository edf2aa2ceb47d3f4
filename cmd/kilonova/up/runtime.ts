import type { Logger } from "../../../pkg/kernel/index.js";
import type { HostDirectory } from "../../../pkg/platform/coordination/index.js";
import type { DbPool } from "../../../pkg/platform/db/index.js";
import type { Lifecycle, Tasks } from "../../../pkg/platform/process/index.js";
import type { LocalNetwork, ServiceBinding } from "../../../pkg/platform/rpc/index.js";
import type { Sharing } from "../../../pkg/platform/sharing/index.js";
import type { Policy } from "../../../pkg/policy/index.js";
import type { Metrics, Tracer } from "../../../pkg/platform/telemetry/index.js";
import type { OpenStackClients } from "./clients.js";
import type { KilonovaConfig } from "./config.js";
import type { UpOptions } from "./options.js";
import type { Secrets } from "./secrets.js";

/** What the parts of one process share. The last three come to be while it starts. */
export interface Runtime {
  readonly options: UpOptions;
  readonly config: KilonovaConfig;
  readonly secrets: Secrets;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  readonly tasks: Tasks;
  readonly tracer: Tracer;
  readonly metrics: Metrics;
  readonly policy: Policy;
  readonly network: LocalNetwork;
  /** Turns of projects at all doors of this process. */
  readonly sharing: Sharing;
  /** What each service in this process serves, by its local address. */
  readonly bindings: Map<string, readonly ServiceBinding[]>;
  pool?: DbPool;
  /** For lists whose cost is their filter. */
  listPool?: DbPool;
  clients?: OpenStackClients;
  directory?: HostDirectory;
}
