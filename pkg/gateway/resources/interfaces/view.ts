import type { Interface } from "../../../../gen/kilonova/api/v1/interfaces_service.js";
import type { Json } from "../../http/json.js";
import type { Microversion } from "../../microversion/version.js";
import { since } from "../../microversion/version.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";

const fields: readonly Field<Interface, undefined>[] = [
  { name: "net_id", value: (one) => one.networkId },
  { name: "port_id", value: (one) => one.portId },
  { name: "mac_addr", value: (one) => one.macAddress },
  { name: "port_state", value: (one) => one.portState },
  {
    name: "fixed_ips",
    value: (one) =>
      one.addresses.map(({ ipAddress, subnetId }) => ({ ip_address: ipAddress, subnet_id: subnetId })),
  },
  { name: "tag", span: since("2.70"), value: (one) => one.tag ?? null },
];

const view = new View<Interface, undefined>("interface attachment", fields);

/** An interface as its routes show it. */
export const shownInterface = (one: Interface, version: Microversion): Record<string, Json> =>
  view.shape(version, []).render(one, undefined);
