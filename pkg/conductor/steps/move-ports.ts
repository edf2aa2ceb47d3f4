import type { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { TaskState } from "../../model/instance-states.js";
import { done, fail } from "../engine/kind.js";
import type { Change, MoreChanges, Step, StepCall } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import type { NetworkPorts } from "./allocate-networks.js";
import { claimedHost } from "./destinations.js";
import { endAt, ownMigrationId, placeAt, readMigration, sourceOf, statusIs } from "./moves.js";
import { boundTo, isRefused } from "./place-ports.js";

/**
 * Binds the server's ports to the destination. With its commit the server is there, with its new flavor;
 * taken back, everything of the host that it had left is its again.
 */
export const movePorts = (ports: NetworkPorts & Pick<Ports, "migrations">): Step<MoveInput> => ({
  name: "move-ports",
  unfenced: true,
  event: "",
  taskState: TaskState.resizeMigrated,
  timeoutMs: 300_000,

  async run(call) {
    const { host } = call.outputs.get(claimedHost);
    const bound = await boundTo(call, ports, { host: host.host, zone: host.zone });
    const refused = bound.find(isRefused);
    if (refused !== undefined)
      return fail(ConductorErrors.PORT_BINDING_FAILED({ port: refused.portId }), {
        backTo: claimedHost.step,
        host: host.host,
      });
    const { flavor } = call.input;
    return done(
      {},
      {
        ports: bound,
        set: {
          hostInfo: placeAt(call.server.hostInfo, endAt(host)),
          availabilityZone: host.zone,
          ...(flavor === undefined ? {} : { flavor }),
        },
        // What the old host gave it is in the migration.
        more: {
          ...flavorOf(call, flavor),
          replaceHostResources: true,
          migrations: [statusIs("post-migrating")],
        },
      },
    );
  },

  undo: async (call) => backAt(call, ports, await readMigration(call, ports, ownMigrationId(call))),
});

/**
 * Binds the server's ports to the host that it has left. Repeatable, also before it ever left.
 * @returns the server as it was there: its place, zone, flavor and what that host gave it
 */
export async function backAt(
  call: StepCall<unknown>,
  ports: NetworkPorts,
  migration: MigrationRecord,
): Promise<Change> {
  const source = sourceOf(migration);
  const { oldFlavor } = migration;
  const zone = source.availabilityZone;
  return {
    ports: await boundTo(call, ports, { host: source.host, zone }),
    set: {
      hostInfo: placeAt(call.server.hostInfo, source),
      availabilityZone: zone,
      ...(oldFlavor === undefined ? {} : { flavor: oldFlavor }),
    },
    more: {
      ...flavorOf(call, oldFlavor),
      ...(source.resources === undefined ? {} : { hostResources: source.resources }),
      replaceHostResources: true,
    },
  };
}

/** Later moves go by the spec. */
const flavorOf = (
  { instance: { spec } }: Pick<StepCall, "instance">,
  flavor: Flavor | undefined,
): MoreChanges =>
  flavor === undefined || spec === undefined ? {} : { spec: { ...spec, flavor }, specMask: ["flavor"] };
