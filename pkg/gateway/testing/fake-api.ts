import {
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { AggregatesServiceDefinition } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import { RemoteConsolesServiceDefinition } from "../../../gen/kilonova/api/v1/consoles_service.js";
import { FlavorsServiceDefinition } from "../../../gen/kilonova/api/v1/flavors_service.js";
import { ExternalEventsServiceDefinition } from "../../../gen/kilonova/api/v1/external_events_service.js";
import { InterfacesServiceDefinition } from "../../../gen/kilonova/api/v1/interfaces_service.js";
import { KeyPairsServiceDefinition } from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import {
  InstanceActionsServiceDefinition,
  LimitsServiceDefinition,
} from "../../../gen/kilonova/api/v1/limits_service.js";
import { MigrationsServiceDefinition } from "../../../gen/kilonova/api/v1/migrations_service.js";
import { EventsServiceDefinition } from "../../../gen/kilonova/api/v1/operations_service.js";
import { ServerGroupsServiceDefinition } from "../../../gen/kilonova/api/v1/server_groups_service.js";
import { ServerMetadataServiceDefinition } from "../../../gen/kilonova/api/v1/server_metadata_service.js";
import { ServerTagsServiceDefinition } from "../../../gen/kilonova/api/v1/server_tags_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { NovaAddressesServiceDefinition } from "../../../gen/kilonova/compat/v1/nova_addresses_service.js";
import { VolumeAttachmentsServiceDefinition } from "../../../gen/kilonova/api/v1/volume_attachments_service.js";
import { NovaSecurityGroupsServiceDefinition } from "../../../gen/kilonova/compat/v1/nova_security_groups_service.js";
import { NovaListsServiceDefinition } from "../../../gen/kilonova/compat/v1/nova_lists_service.js";
import { CommonErrors, silentLogger } from "../../kernel/index.js";
import type { Ctx } from "../../kernel/index.js";
import { bindPart, bindService, LocalNetwork } from "../../platform/rpc/index.js";
import type { Channel, Handlers, ServiceBinding, ServiceDefinition } from "../../platform/rpc/index.js";
import { Metrics, noTracer } from "../../platform/telemetry/index.js";

/** What a test serves; methods that it leaves out answer UNIMPLEMENTED. */
export interface FakeApi {
  readonly servers?: Partial<Handlers<ServersServiceDefinition>>;
  readonly remoteConsoles?: Partial<Handlers<RemoteConsolesServiceDefinition>>;
  readonly aggregates?: Partial<Handlers<AggregatesServiceDefinition>>;
  readonly serverGroups?: Partial<Handlers<ServerGroupsServiceDefinition>>;
  readonly serverMetadata?: Partial<Handlers<ServerMetadataServiceDefinition>>;
  readonly serverTags?: Partial<Handlers<ServerTagsServiceDefinition>>;
  readonly interfaces?: Partial<Handlers<InterfacesServiceDefinition>>;
  readonly volumeAttachments?: Partial<Handlers<VolumeAttachmentsServiceDefinition>>;
  readonly externalEvents?: Partial<Handlers<ExternalEventsServiceDefinition>>;
  readonly flavors?: Partial<Handlers<FlavorsServiceDefinition>>;
  readonly keyPairs?: Partial<Handlers<KeyPairsServiceDefinition>>;
  readonly limits?: Partial<Handlers<LimitsServiceDefinition>>;
  readonly instanceActions?: Partial<Handlers<InstanceActionsServiceDefinition>>;
  readonly migrations?: Partial<Handlers<MigrationsServiceDefinition>>;
  readonly availabilityZones?: Partial<Handlers<AvailabilityZonesServiceDefinition>>;
  readonly computeServices?: Partial<Handlers<ComputeServicesServiceDefinition>>;
  readonly hypervisors?: Partial<Handlers<HypervisorsServiceDefinition>>;
  readonly addresses?: Partial<Handlers<NovaAddressesServiceDefinition>>;
  readonly securityGroups?: Partial<Handlers<NovaSecurityGroupsServiceDefinition>>;
  readonly events?: Partial<Handlers<EventsServiceDefinition>>;
}

/** One call as the fake saw it. */
export interface SeenCall {
  readonly method: string;
  readonly ctx: Ctx;
  readonly request: unknown;
}

/** A `kilonova.api.v1` in this process. @param seen  gets every call */
export function fakeApiChannel(fake: FakeApi, seen: SeenCall[]): Channel {
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  network.listen("api", [
    stub(ServersServiceDefinition, fake.servers ?? {}, seen),
    stub(InterfacesServiceDefinition, fake.interfaces ?? {}, seen),
    stub(VolumeAttachmentsServiceDefinition, fake.volumeAttachments ?? {}, seen),
    stub(ExternalEventsServiceDefinition, fake.externalEvents ?? {}, seen),
    stub(FlavorsServiceDefinition, fake.flavors ?? {}, seen),
    stub(KeyPairsServiceDefinition, fake.keyPairs ?? {}, seen),
    stub(LimitsServiceDefinition, fake.limits ?? {}, seen),
    stub(InstanceActionsServiceDefinition, fake.instanceActions ?? {}, seen),
    stub(MigrationsServiceDefinition, fake.migrations ?? {}, seen),
    stub(AvailabilityZonesServiceDefinition, fake.availabilityZones ?? {}, seen),
    stub(ComputeServicesServiceDefinition, fake.computeServices ?? {}, seen),
    stub(HypervisorsServiceDefinition, fake.hypervisors ?? {}, seen),
    stub(ServerMetadataServiceDefinition, fake.serverMetadata ?? {}, seen),
    stub(ServerTagsServiceDefinition, fake.serverTags ?? {}, seen),
    stub(ServerGroupsServiceDefinition, fake.serverGroups ?? {}, seen),
    stub(RemoteConsolesServiceDefinition, fake.remoteConsoles ?? {}, seen),
    stub(AggregatesServiceDefinition, fake.aggregates ?? {}, seen),
    stub(NovaAddressesServiceDefinition, fake.addresses ?? {}, seen, "addresses."),
    stub(NovaSecurityGroupsServiceDefinition, fake.securityGroups ?? {}, seen, "groups."),
    ...(fake.events ? [bindPart(EventsServiceDefinition, fake.events)] : []),
    lists(fake, seen),
  ]);
  return network.connect("api", { service: "gateway", host: "" });
}

/**
 * The lists that the gateway asks with Nova's paging: answered as the public ones are. Seen as `lists.…`.
 */
function lists(fake: FakeApi, seen: SeenCall[]): ServiceBinding {
  const all = Object.assign({}, ...Object.values(fake)) as Readonly<Record<string, AnyHandler | undefined>>;
  const handlers = Object.keys(NovaListsServiceDefinition.methods).map((method) => [
    method,
    async (ctx: Ctx, request: { readonly list: unknown }) => {
      seen.push({ method: `lists.${method}`, ctx, request });
      const handler = all[method];
      if (!handler) throw CommonErrors.UNIMPLEMENTED({ what: method });
      return handler(ctx, request.list);
    },
  ]);
  return bindService(
    NovaListsServiceDefinition,
    Object.fromEntries(handlers) as Handlers<NovaListsServiceDefinition>,
  );
}

type AnyHandler = (ctx: Ctx, request: unknown) => Promise<unknown>;

function stub<D extends ServiceDefinition>(
  definition: D,
  handlers: Partial<Handlers<D>>,
  seen: SeenCall[],
  seenAs = "",
): ServiceBinding {
  const served = handlers as Readonly<Record<string, AnyHandler | undefined>>;
  const full = Object.fromEntries(
    Object.keys(definition.methods).map((method) => [
      method,
      async (ctx: Ctx, request: unknown) => {
        seen.push({ method: `${seenAs}${method}`, ctx, request });
        const handler = served[method];
        if (!handler) throw CommonErrors.UNIMPLEMENTED({ what: method });
        return handler(ctx, request);
      },
    ]),
  );
  return bindService(definition, full as unknown as Handlers<D>);
}
