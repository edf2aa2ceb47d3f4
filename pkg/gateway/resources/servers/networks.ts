import type { RequestedNetwork } from "../../../../gen/kilonova/type/v1/server_spec.js";
import { parseUuid } from "../../../kernel/index.js";
import { GatewayErrors } from "../../errors.js";
import { listOf, member, textOf } from "../../http/fields.js";
import type { Json, JsonObject } from "../../http/json.js";
import { isObject } from "../../http/json.js";
import { orNone } from "../../../model/presence.js";

export interface RequestedNetworks {
  readonly list: RequestedNetwork[];
  /** `networks: "none"`. */ readonly none: boolean;
}

const bad = (message: string): Error => GatewayErrors.BAD_REQUEST({ message });

/**
 * The interfaces that a create body asks for. `auto`, an empty list and no list at all leave the choice to
 * `api`.
 * @throws BAD_REQUEST for combinations that mean nothing
 */
export function networksOf(body: JsonObject): RequestedNetworks {
  const asked = member(body, "networks");
  if (asked === "none") return { list: [], none: true };
  const list = listOf(body, "networks").map(networkOf);
  const ports = list.flatMap((network) => network.portId ?? []);
  if (new Set(ports).size !== ports.length) throw bad("Duplicate networks: a port is given more than once.");
  return { list, none: false };
}

function networkOf(item: Json): RequestedNetwork {
  const network = isObject(item) ? item : {};
  const portId = orNone(textOf(network, "port"));
  const fixedIp = orNone(textOf(network, "fixed_ip"));
  const tag = orNone(textOf(network, "tag"));
  if (portId !== undefined) {
    if (fixedIp !== undefined)
      throw bad(
        `Specified Fixed IP '${fixedIp}' cannot be used with port '${portId}': the two cannot be specified together.`,
      );
    return { portId: parseUuid(portId) ?? portId, tag };
  }
  const asked = textOf(network, "uuid") ?? "";
  const networkId = parseUuid(asked);
  if (networkId === undefined)
    throw bad(`Bad networks format: network uuid is not in proper format (${asked})`);
  return { networkId, fixedIp, tag };
}
