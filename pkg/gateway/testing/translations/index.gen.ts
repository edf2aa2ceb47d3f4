// Written by scripts/gen-registries.mjs from the files in pkg/gateway/testing/translations. Do not edit.
import type { Translation } from "./translation.js";
import aggregates from "./aggregates.js";
import availabilityZones from "./availability-zones.js";
import computeServices from "./compute-services.js";
import externalEvents from "./external-events.js";
import flavorAccess from "./flavor-access.js";
import flavorExtraSpecs from "./flavor-extra-specs.js";
import flavors from "./flavors.js";
import hypervisors from "./hypervisors.js";
import instanceActions from "./instance-actions.js";
import interfaces from "./interfaces.js";
import keyPairs from "./key-pairs.js";
import limits from "./limits.js";
import migrations from "./migrations.js";
import remoteConsoles from "./remote-consoles.js";
import serverActions from "./server-actions.js";
import serverAddresses from "./server-addresses.js";
import serverDiagnostics from "./server-diagnostics.js";
import serverGroups from "./server-groups.js";
import serverIps from "./server-ips.js";
import serverMetadata from "./server-metadata.js";
import serverPassword from "./server-password.js";
import serverSecurityGroups from "./server-security-groups.js";
import serverTags from "./server-tags.js";
import serverTopology from "./server-topology.js";
import servers from "./servers.js";
import volumeAttachments from "./volume-attachments.js";

/** Everything in this folder, by file name. */
export const translations: readonly Translation[] = [
  ...aggregates,
  ...availabilityZones,
  ...computeServices,
  ...externalEvents,
  ...flavorAccess,
  ...flavorExtraSpecs,
  ...flavors,
  ...hypervisors,
  ...instanceActions,
  ...interfaces,
  ...keyPairs,
  ...limits,
  ...migrations,
  ...remoteConsoles,
  ...serverActions,
  ...serverAddresses,
  ...serverDiagnostics,
  ...serverGroups,
  ...serverIps,
  ...serverMetadata,
  ...serverPassword,
  ...serverSecurityGroups,
  ...serverTags,
  ...serverTopology,
  ...servers,
  ...volumeAttachments,
];
