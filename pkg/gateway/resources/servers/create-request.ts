import { CreateServersRequest, NetworkMode } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { DiskConfig } from "../../../../gen/kilonova/type/v1/server.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { booleanOf, countOf, listOf, mapOf, objectOf, textOf, textsIn } from "../../http/fields.js";
import type { JsonObject } from "../../http/json.js";
import { isObject } from "../../http/json.js";
import { until } from "../../microversion/version.js";
import { blockDevicesOf } from "./block-devices.js";
import { networksOf } from "./networks.js";

/** Before descriptions could be set, a server's description was its name. */
const descriptionIsName = until("2.18");

/** What a create body asks for. @throws BAD_REQUEST for what the schema cannot express */
export function createRequest(request: ApiRequest): CreateServersRequest {
  const body = request.member("server");
  const counts = countsOf(body);
  const networks = networksOf(body);
  return CreateServersRequest.fromPartial({
    name: textOf(body, "name") ?? "",
    flavorId: lastSegment(textOf(body, "flavorRef") ?? ""),
    imageId: textOf(body, "imageRef") ?? "",
    networks: networks?.list ?? [],
    networkMode: networks?.none === true ? NetworkMode.NETWORK_MODE_NONE : NetworkMode.NETWORK_MODE_AUTO,
    securityGroups: requestedGroups(body),
    keyName: textOf(body, "key_name") ?? "",
    metadata: mapOf(objectOf(body, "metadata")),
    tags: textsIn(body, "tags"),
    userData: textOf(body, "user_data") ?? "",
    configDrive: booleanOf(body, "config_drive"),
    availabilityZone: textOf(body, "availability_zone") ?? "",
    ...descriptionOf(request, body),
    accessIpV4: textOf(body, "accessIPv4") ?? "",
    accessIpV6: textOf(body, "accessIPv6") ?? "",
    diskConfig: diskConfigOf(body),
    adminPassword: textOf(body, "adminPass") ?? "",
    ...counts,
    hostname: textOf(body, "hostname") ?? "",
    schedulerHintsJson: hintsOf(request),
    trustedImageCertificates: textsIn(body, "trusted_image_certificates"),
    files: filesOf(body),
    host: textOf(body, "host") ?? "",
    hypervisorHostname: textOf(body, "hypervisor_hostname") ?? "",
    blockDevicesJson: blockDevicesOf(body).map((device) => JSON.stringify(device)),
  });
}

/** Names or ids as asked; the answer repeats them. Without any the project's default group is meant. */
export const requestedGroups = (body: JsonObject): string[] =>
  listOf(body, "security_groups").flatMap((group) => (isObject(group) ? (textOf(group, "name") ?? []) : []));

export function diskConfigOf(body: JsonObject): DiskConfig {
  const word = textOf(body, "OS-DCF:diskConfig");
  if (word === undefined) return DiskConfig.DISK_CONFIG_UNSPECIFIED;
  return word === "AUTO" ? DiskConfig.DISK_CONFIG_AUTO : DiskConfig.DISK_CONFIG_MANUAL;
}

function descriptionOf(
  request: ApiRequest,
  body: JsonObject,
): { description: string; hasDescription: boolean } {
  const text = request.has(descriptionIsName) ? textOf(body, "name") : textOf(body, "description");
  return { description: text ?? "", hasDescription: text !== undefined };
}

/** References may be addresses: the last part is the id. */
const lastSegment = (reference: string): string => reference.slice(reference.lastIndexOf("/") + 1);

function countsOf(body: JsonObject): { minCount: number; maxCount: number } {
  const minCount = countOf(body, "min_count") ?? 1;
  const maxCount = countOf(body, "max_count") ?? minCount;
  if (minCount > maxCount) throw GatewayErrors.BAD_REQUEST({ message: "min_count must be <= max_count" });
  return { minCount, maxCount };
}

function hintsOf(request: ApiRequest): string {
  const body = isObject(request.body) ? request.body : {};
  const hints = objectOf(body, "os:scheduler_hints") ?? objectOf(body, "OS-SCH-HNT:scheduler_hints");
  return hints && Object.keys(hints).length > 0 ? JSON.stringify(hints) : "";
}

function filesOf(body: JsonObject): { path: string; contents: Buffer }[] {
  return listOf(body, "personality").map((file) => {
    const path = isObject(file) ? textOf(file, "path") : undefined;
    const contents = isObject(file) ? textOf(file, "contents") : undefined;
    if (path === undefined || contents === undefined)
      throw GatewayErrors.BAD_REQUEST({ message: "Bad personality format: missing path or contents" });
    return { path, contents: Buffer.from(contents, "base64") };
  });
}
