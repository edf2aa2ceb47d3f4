import { RebootType } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { plainActions } from "../../../model/testing/plain-actions.js";
import type { Translation } from "./translation.js";
import { SERVER, post } from "./translation.js";

const plain = plainActions.map(({ key, method }): Translation => [
  `POST /servers/{id}/action#${key}`,
  `/servers/${SERVER}/action`,
  // Some came with a microversion; none went.
  { ...post({ [key]: null }), version: "2.104" },
  `${method.charAt(0).toLowerCase()}${method.slice(1)}`,
  { serverId: SERVER },
]);

export default [
  ...plain,
  [
    "POST /servers/{id}/action#lock",
    `/servers/${SERVER}/action`,
    post({ lock: null }),
    "lockServer",
    { serverId: SERVER },
  ],
  [
    "POST /servers/{id}/action#lock",
    `/servers/${SERVER}/action`,
    { ...post({ lock: { locked_reason: "audit" } }), version: "2.73" },
    "lockServer",
    { serverId: SERVER, reason: "audit" },
  ],
  [
    "POST /servers/{id}/action#lock",
    `/servers/${SERVER}/action`,
    { ...post({ lock: { locked_reason: "unheard" } }), version: "2.72" },
    "lockServer",
    { serverId: SERVER },
  ],
  [
    "POST /servers/{id}/action#changePassword",
    `/servers/${SERVER}/action`,
    post({ changePassword: { adminPass: "s3cret" } }),
    "changeServerPassword",
    { serverId: SERVER, adminPassword: "s3cret" },
  ],
  ...(["HARD", "Hard", "hard", "SOFT", "Soft", "soft"] as const).map((type): Translation => [
    "POST /servers/{id}/action#reboot",
    `/servers/${SERVER}/action`,
    post({ reboot: { type } }),
    "rebootServer",
    {
      serverId: SERVER,
      type: type.toUpperCase() === "HARD" ? RebootType.REBOOT_TYPE_HARD : RebootType.REBOOT_TYPE_SOFT,
    },
  ]),
  ...(
    [
      [null, {}],
      [{}, {}],
      [{ adminPass: "" }, {}],
      [{ adminPass: "s3cret" }, { adminPassword: "s3cret" }],
      [{ rescue_image_ref: SERVER }, { imageId: SERVER }],
    ] as const
  ).map(([body, fields]): Translation => [
    "POST /servers/{id}/action#rescue",
    `/servers/${SERVER}/action`,
    post({ rescue: body }),
    "rescueServer",
    { serverId: SERVER, ...fields },
  ]),
  ...(
    [
      [{}, {}],
      [{ length: null }, {}],
      [{ length: -1 }, {}],
      [{ length: "7" }, { lines: 7 }],
      [{ length: 0 }, { lines: 0 }],
    ] as const
  ).map(([body, lines]): Translation => [
    "POST /servers/{id}/action#os-getConsoleOutput",
    `/servers/${SERVER}/action`,
    post({ "os-getConsoleOutput": body }),
    "getConsoleOutput",
    { serverId: SERVER, ...lines },
  ]),
] satisfies readonly Translation[];
