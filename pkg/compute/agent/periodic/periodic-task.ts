import type { HostsServiceDefinition } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Clock, Ctx, Instant } from "../../../kernel/index.js";
import type { Client } from "../../../platform/rpc/index.js";
import type { CommandHost } from "../../commands/command.js";
import type { Commands } from "../commands.js";
import type { GuestWatch } from "../guest-watch.js";
import type { Images, Plumbing } from "../ports.js";
import type { Registration } from "../registration.js";
import type { PeriodicConfig } from "./options.js";

/** What periodic tasks work with: one host and its agent. */
export interface PeriodicHost {
  readonly host: string;
  readonly cell: string;
  readonly config: PeriodicConfig;
  readonly cells: Pick<Client<typeof HostsServiceDefinition>, "findDeletedInstances" | "recordUsageAudit">;
  readonly clock: Pick<Clock, "now">;
  /** The end of the last period that the cell has written down. */
  readonly audited: { until: Instant | undefined };
  readonly own: CommandHost;
  readonly commands: Pick<Commands, "finish" | "beside" | "prune">;
  readonly registration: Pick<Registration, "audit">;
  readonly watch: Pick<GuestWatch, "compare" | "note">;
  readonly plumbing: Pick<Plumbing, "plug">;
  readonly images: Pick<Images, "age">;
  /** Writes the journal anew without what is forgotten, where that is worth it. */
  readonly compactJournal: (ctx: Ctx) => Promise<void>;
  /** Whether a host that comes up powers on what ran by its record. */
  readonly resumesGuests: boolean;
  /** A moment of the commands before what `instances` then gives was read. */
  asOf(): number;
  /** Records of this host, none of them deleted. */
  instances(ctx: Ctx): Promise<readonly InstanceRecord[]>;
  /** Counts a guest that was removed because its server is deleted. */
  removed(): void;
}

/** Something that an agent does again and again by itself. One file declares all of it. */
export interface PeriodicTask {
  /** As metrics and logs name it. */
  readonly name: string;
  /** What it does, in a sentence. */
  readonly does: string;
  /** Nova's name for it; "" for what Nova does not have. */
  readonly nova: string;
  /** Whether it is also done before the host can be scheduled to, in the order of the table. */
  readonly atStart: boolean;
  /** How often, in ms; 0: never again. */
  everyMs(config: PeriodicConfig): number;
  /**
   * Repeatable. A failure is logged and counted, and the next run may go better.
   * @param again  asks for the next run within a minute: there is something that will be due by then
   */
  run(ctx: Ctx, host: PeriodicHost, again: () => void): Promise<void>;
}
