// Written by scripts/gen-registries.mjs from the files in gen/kilonova/api/v1. Do not edit.
import { AggregatesServiceDefinition } from "../../gen/kilonova/api/v1/aggregates_service.js";
import { RemoteConsolesServiceDefinition } from "../../gen/kilonova/api/v1/consoles_service.js";
import { ExternalEventsServiceDefinition } from "../../gen/kilonova/api/v1/external_events_service.js";
import { FlavorsServiceDefinition } from "../../gen/kilonova/api/v1/flavors_service.js";
import { AvailabilityZonesServiceDefinition, ComputeServicesServiceDefinition, HypervisorsServiceDefinition } from "../../gen/kilonova/api/v1/hosts_service.js";
import { InterfacesServiceDefinition } from "../../gen/kilonova/api/v1/interfaces_service.js";
import { KeyPairsServiceDefinition } from "../../gen/kilonova/api/v1/key_pairs_service.js";
import { LimitsServiceDefinition, InstanceActionsServiceDefinition } from "../../gen/kilonova/api/v1/limits_service.js";
import { MigrationsServiceDefinition } from "../../gen/kilonova/api/v1/migrations_service.js";
import { OperationsServiceDefinition, EventsServiceDefinition } from "../../gen/kilonova/api/v1/operations_service.js";
import { QuotaSetsServiceDefinition } from "../../gen/kilonova/api/v1/quota_sets_service.js";
import { SchedulingServiceDefinition } from "../../gen/kilonova/api/v1/scheduling_service.js";
import { ServerGroupsServiceDefinition } from "../../gen/kilonova/api/v1/server_groups_service.js";
import { ServerMetadataServiceDefinition } from "../../gen/kilonova/api/v1/server_metadata_service.js";
import { ServerSharesServiceDefinition } from "../../gen/kilonova/api/v1/server_shares_service.js";
import { ServerTagsServiceDefinition } from "../../gen/kilonova/api/v1/server_tags_service.js";
import { ServersServiceDefinition } from "../../gen/kilonova/api/v1/servers_service.js";
import { UsageServiceDefinition } from "../../gen/kilonova/api/v1/usage_service.js";
import { VolumeAttachmentsServiceDefinition, AssistedVolumeSnapshotsServiceDefinition } from "../../gen/kilonova/api/v1/volume_attachments_service.js";
import type { ServiceDefinition } from "../platform/rpc/index.js";

/** Every service of `kilonova.api.v1`. */
export const publicContract: readonly ServiceDefinition[] = [
  AggregatesServiceDefinition,
  RemoteConsolesServiceDefinition,
  ExternalEventsServiceDefinition,
  FlavorsServiceDefinition,
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
  InterfacesServiceDefinition,
  KeyPairsServiceDefinition,
  LimitsServiceDefinition,
  InstanceActionsServiceDefinition,
  MigrationsServiceDefinition,
  OperationsServiceDefinition,
  EventsServiceDefinition,
  QuotaSetsServiceDefinition,
  SchedulingServiceDefinition,
  ServerGroupsServiceDefinition,
  ServerMetadataServiceDefinition,
  ServerSharesServiceDefinition,
  ServerTagsServiceDefinition,
  ServersServiceDefinition,
  UsageServiceDefinition,
  VolumeAttachmentsServiceDefinition,
  AssistedVolumeSnapshotsServiceDefinition,
];
