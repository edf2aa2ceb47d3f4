import { UpdateServerRequest } from "../../../../gen/kilonova/api/v1/servers_service.js";
import type { UserPath } from "../../../model/user-change.js";
import type { ApiRequest } from "../../http/api-request.js";
import { member, textOf } from "../../http/fields.js";
import { diskConfigOf } from "./create-request.js";

/** The fields that a PUT body gives, and only those: absent ones stay as they are, null ones are cleared. */
export function updateRequest(request: ApiRequest): UpdateServerRequest {
  const body = request.member("server");
  const given = (key: string, path: UserPath): UserPath[] => (member(body, key) === undefined ? [] : [path]);
  return UpdateServerRequest.fromPartial({
    serverId: request.id,
    server: {
      name: textOf(body, "name") ?? "",
      hostname: textOf(body, "hostname") ?? "",
      description: textOf(body, "description"),
      accessIpV4: textOf(body, "accessIPv4") || undefined,
      accessIpV6: textOf(body, "accessIPv6") || undefined,
      diskConfig: diskConfigOf(body),
      pinnedAvailabilityZone: textOf(body, "pinned_availability_zone"),
    },
    updateMask: [
      ...given("name", "name"),
      ...given("description", "description"),
      ...given("hostname", "hostname"),
      ...given("accessIPv4", "access_ip_v4"),
      ...given("accessIPv6", "access_ip_v6"),
      ...given("OS-DCF:diskConfig", "disk_config"),
      ...given("pinned_availability_zone", "pinned_availability_zone"),
    ],
  });
}
