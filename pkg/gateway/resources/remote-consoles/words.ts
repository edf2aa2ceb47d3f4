import { ConsoleProtocol, ConsoleType } from "../../../../gen/kilonova/api/v1/consoles_service.js";

/** REST's words for protocols. */
export const protocols: ReadonlyMap<string, ConsoleProtocol> = new Map([
  ["vnc", ConsoleProtocol.CONSOLE_PROTOCOL_VNC],
  ["spice", ConsoleProtocol.CONSOLE_PROTOCOL_SPICE],
  ["serial", ConsoleProtocol.CONSOLE_PROTOCOL_SERIAL],
  ["rdp", ConsoleProtocol.CONSOLE_PROTOCOL_RDP],
  ["mks", ConsoleProtocol.CONSOLE_PROTOCOL_MKS],
]);

/** REST's words for types. */
export const types: ReadonlyMap<string, ConsoleType> = new Map([
  ["novnc", ConsoleType.CONSOLE_TYPE_NOVNC],
  ["xvpvnc", ConsoleType.CONSOLE_TYPE_XVPVNC],
  ["spice-html5", ConsoleType.CONSOLE_TYPE_SPICE_HTML5],
  ["serial", ConsoleType.CONSOLE_TYPE_SERIAL],
  ["rdp-html5", ConsoleType.CONSOLE_TYPE_RDP_HTML5],
  ["webmks", ConsoleType.CONSOLE_TYPE_WEBMKS],
  ["spice-direct", ConsoleType.CONSOLE_TYPE_SPICE_DIRECT],
]);

/** The actions that came before remote-consoles, and what each is about. */
export const actions = [
  { key: "os-getVNCConsole", protocol: "vnc", types: ["novnc", "xvpvnc"] },
  { key: "os-getSPICEConsole", protocol: "spice", types: ["spice-html5"] },
  { key: "os-getSerialConsole", protocol: "serial", types: ["serial"] },
] as const;
