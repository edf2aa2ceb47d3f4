import { NetworkMode } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import { BlockDeviceDestination, BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../../gen/kilonova/type/v1/block_device.js";
import { SchedulerHints } from "../../../gen/kilonova/type/v1/scheduler_hints.js";
import { DiskConfig } from "../../../gen/kilonova/type/v1/server.js";
import type { InjectedFile, RequestedNetwork } from "../../../gen/kilonova/type/v1/server_spec.js";
import { NAMED_HINTS } from "../../model/scheduler-hints.js";
import {
  clientToken,
  description,
  hostName,
  id,
  ip,
  ipv4,
  ipv6,
  metadataKey,
  metadataValue,
  name,
  optionalName,
  optionalUuid,
  tag,
} from "../shape/common.js";
import type { Rule, Shape } from "../shape/shape.js";
import { given, list, map, number, object, oneOf, optional, text } from "../shape/shape.js";

const optionalTag = text({ max: 60, pattern: /^[^,/]*$/, hint: "must not contain comma or slash" });

const networkShape = object<RequestedNetwork>({
  networkId: given(optionalUuid),
  portId: given(optionalUuid),
  fixedIp: given(ip),
  tag: given(optionalTag),
});

/** Either a port or a network; a port brings its own addresses. */
const network: Rule<RequestedNetwork> = (value, path, report) => {
  networkShape(value, path, report);
  if (value.portId === undefined && value.networkId === undefined)
    report(path, "must name a network or a port");
  if (value.portId !== undefined && value.fixedIp !== undefined)
    report(`${path}.fixed_ip`, "must not be given together with a port");
};

const networks: Rule<RequestedNetwork[]> = (values, path, report) => {
  list(network, 64)(values, path, report);
  const ports = values.flatMap((one) => one.portId ?? []);
  if (new Set(ports).size < ports.length) report(path, "names the same port twice");
};

/** Ids of certificates. */
export const distinctCertificates: Rule<string[]> = (values, path, report) => {
  list(id, 50)(values, path, report);
  if (new Set(values).size < values.length) report(path, "must not repeat");
};

const word = text({ max: 255 });
const blockDevice = object<BlockDevice>({
  source: oneOf(BlockDeviceSource),
  destination: oneOf(BlockDeviceDestination),
  sourceId: given(word),
  sizeGib: optional(number({ min: 1 })),
  sizeMib: optional(number({ min: 1 })),
  bootIndex: optional(number()),
  guestFormat: given(word),
  deviceName: given(word),
  deviceType: given(word),
  diskBus: given(word),
  tag: given(optionalTag),
  volumeType: given(word),
});

const MAX_OTHER_HINTS = 128;
/** Longer than any address or id: a condition is a small program. */
const condition = text({ max: 16_384 });
const hints = object<SchedulerHints>({
  group: given(word),
  sameHost: list(word),
  differentHost: list(word),
  buildNearHostIp: given(ip),
  cidr: given(text({ pattern: /^\/[0-9a-f.:]+$/, hint: 'must be a prefix such as "/24"' })),
  query: given(condition),
  targetCell: given(word),
  differentCell: list(word),
  others: (others, path, report) => {
    if (others.size > MAX_OTHER_HINTS) report(path, `must have at most ${MAX_OTHER_HINTS} items`);
    for (const [name, { values }] of others) {
      const at = `${path}["${name}"]`;
      if (NAMED_HINTS.has(name)) report(at, "has a field of its own");
      word(name, at, report);
      list(condition)(values, at, report);
    }
  },
});

/** Hints are stored twice and told with each change of the server. */
const MAX_HINTS = 65_535;
const boundHints: Rule<SchedulerHints> = (value, path, report) => {
  hints(value, path, report);
  if (SchedulerHints.encode(value).finish().length > MAX_HINTS)
    report(path, `must have at most ${MAX_HINTS} bytes`);
};

/** What fits into Nova's 65,535 characters of base64. */
const MAX_USER_DATA = 49_149;
export const userData: Rule<Uint8Array> = (value, path, report) => {
  if (value.length > MAX_USER_DATA) report(path, `must have at most ${MAX_USER_DATA} bytes`);
};

/** Its length is a quota. */
export const filePath = text({ min: 1, max: 65_535 });

/** What a create must look like before anything is read. */
export const createShape: Shape<CreateServersRequest> = {
  clientToken,
  name,
  flavorId: id,
  imageId: given(optionalUuid),
  networks,
  networkMode: oneOf(NetworkMode),
  diskConfig: oneOf(DiskConfig),
  securityGroups: list(name, 64),
  keyName: given(optionalName),
  metadata: map(metadataKey, metadataValue),
  tags: list(tag, 50),
  userData: optional(userData),
  availabilityZone: given(optionalName),
  description: optional(description),
  accessIpV4: given(ipv4),
  accessIpV6: given(ipv6),
  adminPassword: given(text({ max: 255 })),
  minCount: optional(number({ min: 1 })),
  maxCount: optional(number({ min: 1 })),
  hostname: given(
    text({ pattern: /^[a-zA-Z0-9-._]*$/, hint: "must consist of letters, digits, '-', '.' and '_'" }),
  ),
  schedulerHints: optional(boundHints),
  trustedImageCertificates: distinctCertificates,
  files: list(object<InjectedFile>({ path: filePath }), 64),
  host: given(hostName),
  hypervisorHostname: given(hostName),
  blockDevices: list(blockDevice, 64),
};
