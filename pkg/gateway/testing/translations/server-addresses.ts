import type { Translation } from "./translation.js";
import { OTHER, SERVER, post } from "./translation.js";

export default (
  [
    ["addFixedIp", { networkId: OTHER }, { networkId: OTHER }],
    ["addFixedIp", { networkId: 7 }, { networkId: "7" }],
    ["removeFixedIp", { address: "10.0.0.9" }, { address: "10.0.0.9" }],
    ["addFloatingIp", { address: "192.0.2.9" }, { address: "192.0.2.9" }],
    [
      "addFloatingIp",
      { address: "192.0.2.9", fixed_address: "10.0.0.9" },
      { address: "192.0.2.9", fixedAddress: "10.0.0.9" },
    ],
    ["removeFloatingIp", { address: "192.0.2.9" }, { address: "192.0.2.9" }],
  ] as const
).map(([key, body, fields]): Translation => [
  `POST /servers/{id}/action#${key}`,
  `/servers/${SERVER}/action`,
  { ...post({ [key]: body }), version: "2.43" },
  `addresses.${key}`,
  { serverId: SERVER, ...fields },
]);
