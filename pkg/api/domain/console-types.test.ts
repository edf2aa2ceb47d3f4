import assert from "node:assert/strict";
import { ConsoleProtocol as P, ConsoleType as T } from "../../../gen/kilonova/api/v1/consoles_service.js";
import type { ConsoleChoice } from "./console-types.js";
import { chooseConsole, consoleUrl } from "./console-types.js";

const invalid = (type: string): ConsoleChoice => ({ refused: "invalid", type });
const unavailable = (type: string): ConsoleChoice => ({ refused: "unavailable", type });

describe("types of consoles", () => {
  const cases: readonly (readonly [P, T, ConsoleChoice])[] = [
    [P.CONSOLE_PROTOCOL_VNC, T.CONSOLE_TYPE_NOVNC, { given: "novnc" }],
    [P.CONSOLE_PROTOCOL_VNC, T.CONSOLE_TYPE_XVPVNC, invalid("xvpvnc")],
    [P.CONSOLE_PROTOCOL_VNC, T.CONSOLE_TYPE_SERIAL, invalid("serial")],
    [P.CONSOLE_PROTOCOL_SERIAL, T.CONSOLE_TYPE_SERIAL, { given: "serial" }],
    [P.CONSOLE_PROTOCOL_SERIAL, T.CONSOLE_TYPE_NOVNC, invalid("novnc")],
    [P.CONSOLE_PROTOCOL_SPICE, T.CONSOLE_TYPE_SPICE_HTML5, unavailable("spice-html5")],
    [P.CONSOLE_PROTOCOL_SPICE, T.CONSOLE_TYPE_SPICE_DIRECT, unavailable("spice-direct")],
    [P.CONSOLE_PROTOCOL_RDP, T.CONSOLE_TYPE_RDP_HTML5, unavailable("rdp-html5")],
    [P.CONSOLE_PROTOCOL_MKS, T.CONSOLE_TYPE_WEBMKS, unavailable("webmks")],
  ];
  for (const [protocol, type, choice] of cases)
    it(`${protocol} and ${type} are ${JSON.stringify(choice)}`, () =>
      assert.deepEqual(chooseConsole(protocol, type), choice));
});

describe("a console's address", () => {
  it("has the token where noVNC's page passes it on, beside what the base has", () => {
    assert.equal(
      consoleUrl("http://c:6080/vnc_auto.html", "novnc", "t"),
      "http://c:6080/vnc_auto.html?path=%3Ftoken%3Dt",
    );
    assert.equal(
      consoleUrl("https://c/vnc_lite.html?scale=1&path=here", "novnc", "t"),
      "https://c/vnc_lite.html?scale=1&path=here%3Ftoken%3Dt",
    );
  });

  it("has it as a parameter of a serial line's web socket", () => {
    assert.equal(consoleUrl("ws://c:6083/", "serial", "t"), "ws://c:6083/?token=t");
    assert.equal(consoleUrl("wss://c/serial?a=1", "serial", "t"), "wss://c/serial?a=1&token=t");
  });
});
