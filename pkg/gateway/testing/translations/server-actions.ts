import { RebootType } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { DiskConfig, VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { plainActions } from "../../../model/testing/plain-actions.js";
import type { Translation } from "./translation.js";
import { OTHER, SERVER, post } from "./translation.js";

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
  ...(
    [
      ["active", VmState.VM_STATE_ACTIVE],
      ["error", VmState.VM_STATE_ERROR],
    ] as const
  ).map(([state, vmState]): Translation => [
    "POST /servers/{id}/action#os-resetState",
    `/servers/${SERVER}/action`,
    post({ "os-resetState": { state } }),
    "resetServerState",
    { serverId: SERVER, vmState },
  ]),
  [
    "POST /servers/{id}/action#changePassword",
    `/servers/${SERVER}/action`,
    post({ changePassword: { adminPass: "s3cret" } }),
    "changeServerPassword",
    { serverId: SERVER, adminPassword: "s3cret" },
  ],
  [
    "POST /servers/{id}/action#createImage",
    `/servers/${SERVER}/action`,
    { ...post({ createImage: { name: "picture", metadata: { a: "b" } } }), version: "2.39" },
    "createServerImage",
    { serverId: SERVER, name: "picture", metadata: new Map([["a", "b"]]) },
  ],
  ...(
    [
      ["2", 2],
      [0, 0],
      [99_999_999_999, 2_147_483_647],
    ] as const
  ).map(([rotation, counted]): Translation => [
    "POST /servers/{id}/action#createBackup",
    `/servers/${SERVER}/action`,
    post({ createBackup: { name: "picture", backup_type: "daily", rotation } }),
    "createServerBackup",
    {
      serverId: SERVER,
      name: "picture",
      backupType: "daily",
      rotation: counted,
      metadata: new Map<string, string>(),
    },
  ]),
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
  [
    "POST /servers/{id}/action#rebuild",
    `/servers/${SERVER}/action`,
    post({ rebuild: { imageRef: OTHER } }),
    "rebuildServer",
    { serverId: SERVER, imageId: OTHER, server: {}, updateMask: [] },
  ],
  [
    "POST /servers/{id}/action#rebuild",
    `/servers/${SERVER}/action`,
    {
      ...post({
        rebuild: {
          imageRef: OTHER,
          name: "vm",
          adminPass: "p",
          metadata: { a: "1" },
          preserve_ephemeral: "True",
          "OS-DCF:diskConfig": "AUTO",
          accessIPv4: "192.0.2.1",
          accessIPv6: "::1",
          description: null,
          key_name: "k",
          user_data: "YQ==",
          trusted_image_certificates: [SERVER],
          hostname: "h",
        },
      }),
      version: "2.104",
    },
    "rebuildServer",
    {
      serverId: SERVER,
      imageId: OTHER,
      adminPassword: "p",
      preserveEphemeral: true,
      reimageRootVolume: true,
      server: {
        name: "vm",
        hostname: "h",
        metadata: new Map([["a", "1"]]),
        keyName: "k",
        userData: Buffer.from("a"),
        diskConfig: DiskConfig.DISK_CONFIG_AUTO,
        accessIpV4: "192.0.2.1",
        accessIpV6: "::1",
        trustedImageCertificates: [SERVER],
      },
      updateMask: [
        "name",
        "description",
        "hostname",
        "metadata",
        "key_name",
        "user_data",
        "disk_config",
        "access_ip_v4",
        "access_ip_v6",
        "trusted_image_certificates",
      ],
    },
  ],
  [
    "POST /servers/{id}/action#rebuild",
    `/servers/${SERVER}/action`,
    {
      ...post({ rebuild: { imageRef: OTHER, key_name: null, user_data: null, metadata: {} } }),
      version: "2.57",
    },
    "rebuildServer",
    { serverId: SERVER, imageId: OTHER, server: {}, updateMask: ["metadata", "key_name", "user_data"] },
  ],
  [
    "POST /servers/{id}/action#rebuild",
    `/servers/${SERVER}/action`,
    {
      ...post({ rebuild: { imageRef: OTHER, personality: [{ path: "/etc/motd", contents: "aGk=" }] } }),
      version: "2.56",
    },
    "rebuildServer",
    {
      serverId: SERVER,
      imageId: OTHER,
      server: {},
      updateMask: [],
      files: [{ path: "/etc/motd", contents: Buffer.from("hi") }],
    },
  ],
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
  [
    "POST /servers/{id}/action#shelve",
    `/servers/${SERVER}/action`,
    post({ shelve: null }),
    "shelveServer",
    { serverId: SERVER },
  ],
  ...(
    [
      ["2.76", { availability_zone: "z", host: "h" }, {}],
      ["2.77", { availability_zone: "z" }, { availabilityZone: "z" }],
      ["2.91", { availability_zone: null }, { availabilityZone: "" }],
      ["2.91", { availability_zone: "z", host: "h" }, { availabilityZone: "z", host: "h" }],
      ["2.91", { host: "h" }, { host: "h" }],
      ["2.91", { host: "" }, {}],
    ] as const
  ).map(([version, body, fields]): Translation => [
    "POST /servers/{id}/action#unshelve",
    `/servers/${SERVER}/action`,
    { ...post({ unshelve: body }), version },
    "unshelveServer",
    { serverId: SERVER, ...fields },
  ]),
  ...(
    [
      [{ flavorRef: "m1.tiny" }, { flavorId: "m1.tiny" }],
      [{ flavorRef: 7 }, { flavorId: "7" }],
      [{ flavorRef: "http://h/flavors/7" }, { flavorId: "http://h/flavors/7" }],
      [
        { flavorRef: "7", "OS-DCF:diskConfig": "AUTO" },
        { flavorId: "7", diskConfig: DiskConfig.DISK_CONFIG_AUTO },
      ],
      [
        { flavorRef: "7", "OS-DCF:diskConfig": "MANUAL" },
        { flavorId: "7", diskConfig: DiskConfig.DISK_CONFIG_MANUAL },
      ],
    ] as const
  ).map(([body, fields]): Translation => [
    "POST /servers/{id}/action#resize",
    `/servers/${SERVER}/action`,
    post({ resize: body }),
    "resizeServer",
    { serverId: SERVER, ...fields },
  ]),
  ...(
    [
      ["confirmResize", "confirmServerResize"],
      ["revertResize", "revertServerResize"],
    ] as const
  ).map(([key, method]): Translation => [
    `POST /servers/{id}/action#${key}`,
    `/servers/${SERVER}/action`,
    post({ [key]: null }),
    method,
    { serverId: SERVER },
  ]),
  ...(
    [
      ["2.1", null, {}],
      ["2.55", { host: "h" }, {}],
      ["2.56", null, {}],
      ["2.56", {}, {}],
      ["2.56", { host: null }, {}],
      ["2.56", { host: "h" }, { host: "h" }],
    ] as const
  ).map(([version, body, fields]): Translation => [
    "POST /servers/{id}/action#migrate",
    `/servers/${SERVER}/action`,
    { ...post({ migrate: body }), version },
    "migrateServer",
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
