import type { GatewayConfig } from "../config.js";
import { gatewayConfig } from "../config.js";
import type { ApiClients } from "../ports.js";
import { withAliases } from "../routing/aliases.js";
import type { Operation } from "../routing/endpoints.js";
import type { FragmentCache } from "../view/fragments.js";
import { aggregateRoutes } from "./aggregates/routes.js";
import { availabilityZoneRoutes } from "./availability-zones/routes.js";
import { computeServiceRoutes } from "./compute-services/routes.js";
import { extensionRoutes } from "./extensions/routes.js";
import { externalEventRoutes } from "./external-events/routes.js";
import { flavorAccessRoutes } from "./flavor-access/routes.js";
import { flavorExtraSpecRoutes } from "./flavor-extra-specs/routes.js";
import { flavorRoutes } from "./flavors/routes.js";
import { hypervisorRoutes } from "./hypervisors/routes.js";
import { instanceActionRoutes } from "./instance-actions/routes.js";
import { interfaceRoutes } from "./interfaces/routes.js";
import { keyPairRoutes } from "./key-pairs/routes.js";
import { limitRoutes } from "./limits/routes.js";
import { migrationRoutes } from "./migrations/routes.js";
import { remoteConsoleRoutes } from "./remote-consoles/routes.js";
import { serverAddressRoutes } from "./server-addresses/routes.js";
import { serverDiagnosticsRoutes } from "./server-diagnostics/routes.js";
import { serverIpRoutes } from "./server-ips/routes.js";
import { serverGroupRoutes } from "./server-groups/routes.js";
import { serverMetadataRoutes } from "./server-metadata/routes.js";
import { serverPasswordRoutes } from "./server-password/routes.js";
import { serverSecurityGroupRoutes } from "./server-security-groups/routes.js";
import { serverTagRoutes } from "./server-tags/routes.js";
import { serverActionRoutes } from "./servers/action-routes.js";
import { serverRoutes } from "./servers/routes.js";
import { serverTopologyRoutes } from "./server-topology/routes.js";
import { volumeAttachmentRoutes } from "./volume-attachments/routes.js";
import { versionRoutes } from "./versions/routes.js";

/** Every route that is served; the rest of the route table answers that it is not, or that it is gone. */
export const allOperations = (
  api: ApiClients,
  cache: FragmentCache,
  { attachWaitMs }: Pick<GatewayConfig, "attachWaitMs"> = gatewayConfig.parse({}),
): Operation[] =>
  withAliases([
    ...versionRoutes(),
    ...extensionRoutes(),
    ...flavorRoutes(api),
    ...flavorExtraSpecRoutes(api),
    ...flavorAccessRoutes(api),
    ...keyPairRoutes(api),
    ...availabilityZoneRoutes(api),
    ...computeServiceRoutes(api),
    ...hypervisorRoutes(api),
    ...limitRoutes(api),
    ...serverRoutes(api, cache),
    ...serverActionRoutes(api),
    ...remoteConsoleRoutes(api),
    ...serverIpRoutes(api),
    ...interfaceRoutes(api, attachWaitMs),
    ...volumeAttachmentRoutes(api, attachWaitMs),
    ...serverSecurityGroupRoutes(api),
    ...serverAddressRoutes(api),
    ...externalEventRoutes(api),
    ...serverPasswordRoutes(api),
    ...serverDiagnosticsRoutes(api),
    ...serverTopologyRoutes(api),
    ...instanceActionRoutes(api),
    ...migrationRoutes(api),
    ...serverMetadataRoutes(api),
    ...serverTagRoutes(api),
    ...serverGroupRoutes(api),
    ...aggregateRoutes(api),
  ]);
