import { CreateServersRequest, NetworkMode } from "../../../../gen/kilonova/api/v1/servers_service.js";
import type { SchedulerHints } from "../../../../gen/kilonova/type/v1/scheduler_hints.js";
import { DiskConfig } from "../../../../gen/kilonova/type/v1/server.js";
import { hintsOfObject } from "../../../model/scheduler-hints.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { booleanOf, countOf, listOf, mapOf, objectOf, textOf, textsIn } from "../../http/fields.js";
import type { JsonObject } from "../../http/json.js";
import { isObject } from "../../http/json.js";
import { since, until } from "../../microversion/version.js";
import { blockDevicesOf } from "./block-devices.js";
import { networksOf } from "./networks.js";

/** Before descriptions could be set, a server's description was its name. */
const descriptionIsName = until("2.18");

/** Volumes that several servers may have. */
const multiattach = since("2.60");

/** What a create body asks for. @throws BAD_REQUEST for what the schema cannot express */
export function createRequest(request: ApiRequest): CreateServersRequest {
  const body = request.member("server");
  const counts = countsOf(body);
  const networks = networksOf(body);
  return CreateServersRequest.fromPartial({
    name: textOf(body, "name") ?? "",
    flavorId: lastSegment(textOf(body, "flavorRef") ?? ""),
    imageId: textOf(body, "imageRef") || undefined,
    networks: networks?.list ?? [],
    networkMode: networks?.none === true ? NetworkMode.NETWORK_MODE_NONE : NetworkMode.NETWORK_MODE_AUTO,
    securityGroups: requestedGroups(body),
    keyName: textOf(body, "key_name"),
    metadata: mapOf(objectOf(body, "metadata")),
    tags: textsIn(body, "tags"),
    userData: userDataOf(body),
    configDrive: booleanOf(body, "config_drive"),
    availabilityZone: textOf(body, "availability_zone") || undefined,
    description: textOf(body, request.has(descriptionIsName) ? "name" : "description"),
    accessIpV4: textOf(body, "accessIPv4") || undefined,
    accessIpV6: textOf(body, "accessIPv6") || undefined,
    diskConfig: diskConfigOf(body),
    adminPassword: textOf(body, "adminPass") || undefined,
    ...counts,
    hostname: textOf(body, "hostname"),
    schedulerHints: hintsOf(request),
    trustedImageCertificates: textsIn(body, "trusted_image_certificates"),
    files: filesOf(body),
    host: textOf(body, "host"),
    hypervisorHostname: textOf(body, "hypervisor_hostname"),
    blockDevices: blockDevicesOf(body),
    withoutMultiattach: !request.has(multiattach),
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

/** Nova looks at it twice: what its schema lets through must also be base64 apart from white space. */
export function userDataOf(body: JsonObject): Buffer | undefined {
  const digits = textOf(body, "user_data")?.replace(/\s+/g, "");
  if (digits === undefined || digits === "") return undefined;
  if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(digits))
    throw GatewayErrors.BAD_REQUEST({ message: "User data needs to be valid base 64." });
  return Buffer.from(digits, "base64");
}

/** References may be addresses: the last part is the id. */
const lastSegment = (reference: string): string => reference.slice(reference.lastIndexOf("/") + 1);

function countsOf(body: JsonObject): { minCount: number; maxCount: number } {
  const minCount = countOf(body, "min_count") ?? 1;
  const maxCount = countOf(body, "max_count") ?? minCount;
  if (minCount > maxCount) throw GatewayErrors.BAD_REQUEST({ message: "min_count must be <= max_count" });
  return { minCount, maxCount };
}

function hintsOf(request: ApiRequest): SchedulerHints | undefined {
  const body = isObject(request.body) ? request.body : {};
  const hints = objectOf(body, "os:scheduler_hints") ?? objectOf(body, "OS-SCH-HNT:scheduler_hints");
  return hints && hintsOfObject(hints);
}

/** Files as REST below 2.57 puts them in. @throws BAD_REQUEST for one without path or contents */
export function filesOf(body: JsonObject): { path: string; contents: Buffer }[] {
  return listOf(body, "personality").map((file) => {
    const path = isObject(file) ? textOf(file, "path") : undefined;
    const contents = isObject(file) ? textOf(file, "contents") : undefined;
    if (path === undefined || contents === undefined)
      throw GatewayErrors.BAD_REQUEST({ message: "Bad personality format: missing path or contents" });
    return { path, contents: Buffer.from(contents, "base64") };
  });
}
