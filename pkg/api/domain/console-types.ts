import { ConsoleProtocol, ConsoleType } from "../../../gen/kilonova/api/v1/consoles_service.js";

/** A console that this cloud gives, and the word for its type. */
export type GivenConsole = "novnc" | "serial";

/** What comes of a protocol and a type: a console, or why there is none. */
export type ConsoleChoice =
  { readonly given: GivenConsole } | { readonly refused: "invalid" | "unavailable"; readonly type: string };

/** REST's words. */
export const protocolWords: Readonly<Record<ConsoleProtocol, string>> = {
  [ConsoleProtocol.CONSOLE_PROTOCOL_UNSPECIFIED]: "",
  [ConsoleProtocol.CONSOLE_PROTOCOL_VNC]: "vnc",
  [ConsoleProtocol.CONSOLE_PROTOCOL_SPICE]: "spice",
  [ConsoleProtocol.CONSOLE_PROTOCOL_SERIAL]: "serial",
  [ConsoleProtocol.CONSOLE_PROTOCOL_MKS]: "mks",
  [ConsoleProtocol.CONSOLE_PROTOCOL_RDP]: "rdp",
};

/** REST's words. */
const typeWords: Readonly<Record<ConsoleType, string>> = {
  [ConsoleType.CONSOLE_TYPE_UNSPECIFIED]: "",
  [ConsoleType.CONSOLE_TYPE_NOVNC]: "novnc",
  [ConsoleType.CONSOLE_TYPE_SPICE_HTML5]: "spice-html5",
  [ConsoleType.CONSOLE_TYPE_SERIAL]: "serial",
  [ConsoleType.CONSOLE_TYPE_SPICE_DIRECT]: "spice-direct",
  [ConsoleType.CONSOLE_TYPE_WEBMKS]: "webmks",
  [ConsoleType.CONSOLE_TYPE_XVPVNC]: "xvpvnc",
  [ConsoleType.CONSOLE_TYPE_RDP_HTML5]: "rdp-html5",
};

const given: Partial<Record<ConsoleProtocol, ConsoleType>> = {
  [ConsoleProtocol.CONSOLE_PROTOCOL_VNC]: ConsoleType.CONSOLE_TYPE_NOVNC,
  [ConsoleProtocol.CONSOLE_PROTOCOL_SERIAL]: ConsoleType.CONSOLE_TYPE_SERIAL,
};

/** As a Nova answers that has VNC and serial consoles switched on, and no others. */
export function chooseConsole(protocol: ConsoleProtocol, type: ConsoleType): ConsoleChoice {
  const word = typeWords[type];
  const ofProtocol = given[protocol];
  if (ofProtocol === undefined) return { refused: "unavailable", type: word };
  if (ofProtocol !== type) return { refused: "invalid", type: word };
  return { given: type === ConsoleType.CONSOLE_TYPE_NOVNC ? "novnc" : "serial" };
}

/** The type of a kept token. */
export const typeOfWord = (word: string): ConsoleType =>
  word === "novnc"
    ? ConsoleType.CONSOLE_TYPE_NOVNC
    : word === "serial"
      ? ConsoleType.CONSOLE_TYPE_SERIAL
      : ConsoleType.CONSOLE_TYPE_UNSPECIFIED;

/**
 * The address at which a token is used. noVNC's page takes the web socket's path as a parameter and carries
 * the token along in it; other parameters of the base stay.
 */
export function consoleUrl(base: string, console: GivenConsole, token: string): string {
  const url = new URL(base);
  if (console === "serial") url.searchParams.set("token", token);
  else url.searchParams.set("path", `${url.searchParams.get("path") ?? ""}?token=${token}`);
  return url.href;
}
