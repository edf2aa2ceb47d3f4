import { ConsoleProtocol, ConsoleType } from "../../../../gen/kilonova/api/v1/consoles_service.js";
import type { Translation } from "./translation.js";
import { SERVER, post } from "./translation.js";

const { CONSOLE_PROTOCOL_VNC, CONSOLE_PROTOCOL_SPICE, CONSOLE_PROTOCOL_SERIAL } = ConsoleProtocol;
const { CONSOLE_TYPE_NOVNC, CONSOLE_TYPE_SPICE_HTML5, CONSOLE_TYPE_SERIAL } = ConsoleType;

const created = (
  version: string,
  protocol: string,
  type: string,
  request: { readonly protocol: ConsoleProtocol; readonly type: ConsoleType },
): Translation => [
  "POST /servers/{id}/remote-consoles",
  `/servers/${SERVER}/remote-consoles`,
  { ...post({ remote_console: { protocol, type } }), version },
  "createRemoteConsole",
  { serverId: SERVER, ...request },
];
const action = (key: string, type: string, request: object): Translation => [
  `POST /servers/{id}/action#${key}`,
  `/servers/${SERVER}/action`,
  { ...post({ [key]: { type } }), version: "2.5" },
  "createRemoteConsole",
  { serverId: SERVER, ...request },
];

export default [
  created("2.6", "vnc", "novnc", { protocol: CONSOLE_PROTOCOL_VNC, type: CONSOLE_TYPE_NOVNC }),
  created("2.6", "vnc", "xvpvnc", {
    protocol: CONSOLE_PROTOCOL_VNC,
    type: ConsoleType.CONSOLE_TYPE_XVPVNC,
  }),
  created("2.7", "serial", "serial", { protocol: CONSOLE_PROTOCOL_SERIAL, type: CONSOLE_TYPE_SERIAL }),
  created("2.6", "rdp", "rdp-html5", {
    protocol: ConsoleProtocol.CONSOLE_PROTOCOL_RDP,
    type: ConsoleType.CONSOLE_TYPE_RDP_HTML5,
  }),
  created("2.8", "mks", "webmks", {
    protocol: ConsoleProtocol.CONSOLE_PROTOCOL_MKS,
    type: ConsoleType.CONSOLE_TYPE_WEBMKS,
  }),
  created("2.99", "spice", "spice-direct", {
    protocol: CONSOLE_PROTOCOL_SPICE,
    type: ConsoleType.CONSOLE_TYPE_SPICE_DIRECT,
  }),
  action("os-getVNCConsole", "novnc", { protocol: CONSOLE_PROTOCOL_VNC, type: CONSOLE_TYPE_NOVNC }),
  action("os-getSPICEConsole", "spice-html5", {
    protocol: CONSOLE_PROTOCOL_SPICE,
    type: CONSOLE_TYPE_SPICE_HTML5,
  }),
  action("os-getSerialConsole", "serial", { protocol: CONSOLE_PROTOCOL_SERIAL, type: CONSOLE_TYPE_SERIAL }),
  [
    "GET /os-console-auth-tokens/{id}",
    "/os-console-auth-tokens/9a2372b9-6a0e-4f71-aca1-56020e6bb677",
    { version: "2.31", token: "admin" },
    "getConsoleConnection",
    { token: "9a2372b9-6a0e-4f71-aca1-56020e6bb677" },
  ],
] satisfies readonly Translation[];
