import { NetworkMode } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import { DiskConfig } from "../../../gen/kilonova/type/v1/server.js";
import type { InjectedFile, RequestedNetwork } from "../../../gen/kilonova/type/v1/server_spec.js";
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
import { list, map, number, object, oneOf, text } from "../shape/shape.js";

const optionalTag = text({ max: 60, pattern: /^[^,/]*$/, hint: "must not contain comma or slash" });

const networkShape = object<RequestedNetwork>({
  networkId: optionalUuid,
  portId: optionalUuid,
  fixedIp: ip,
  tag: optionalTag,
});

/** Either a port or a network; a port brings its own addresses. */
const network: Rule<RequestedNetwork> = (value, path, report) => {
  networkShape(value, path, report);
  if (value.portId === "" && value.networkId === "") report(path, "must name a network or a port");
  if (value.portId !== "" && value.fixedIp !== "")
    report(`${path}.fixed_ip`, "must not be given together with a port");
};

const networks: Rule<RequestedNetwork[]> = (values, path, report) => {
  list(network, 64)(values, path, report);
  const ports = values.map((one) => one.portId).filter((port) => port !== "");
  if (new Set(ports).size < ports.length) report(path, "names the same port twice");
};

const distinct: Rule<string[]> = (values, path, report) => {
  list(id, 50)(values, path, report);
  if (new Set(values).size < values.length) report(path, "must not repeat");
};

/** Its length is a quota. */
const filePath = text({ min: 1, max: 65_535 });

/** What a create must look like before anything is read. */
export const createShape: Shape<CreateServersRequest> = {
  clientToken,
  name,
  flavorId: id,
  imageId: optionalUuid,
  networks,
  networkMode: oneOf(NetworkMode),
  diskConfig: oneOf(DiskConfig),
  securityGroups: list(name, 64),
  keyName: optionalName,
  metadata: map(metadataKey, metadataValue),
  tags: list(tag, 50),
  userData: text({ max: 65_535 }),
  availabilityZone: optionalName,
  description,
  accessIpV4: ipv4,
  accessIpV6: ipv6,
  adminPassword: text({ max: 255 }),
  minCount: number(),
  maxCount: number(),
  hostname: text({ pattern: /^[a-zA-Z0-9-._]*$/, hint: "must consist of letters, digits, '-', '.' and '_'" }),
  schedulerHintsJson: text({ max: 65_535 }),
  trustedImageCertificates: distinct,
  files: list(object<InjectedFile>({ path: filePath }), 64),
  host: hostName,
  hypervisorHostname: hostName,
  blockDevicesJson: list(text({ min: 2, max: 16_384 }), 64),
};
