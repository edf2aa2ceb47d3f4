import assert from "node:assert/strict";
import { isActivity } from "./activity.js";

describe("a console's user", () => {
  const screen = [3, 1, 0, 0, 0, 0, 2, 208, 1, 144];
  const cases: readonly [name: string, kind: "vnc" | "serial", bytes: readonly number[], there: boolean][] = [
    ["a key", "vnc", [4, 1, 0, 0, 0, 0, 0, 97], true],
    ["the pointer", "vnc", [5, 0, 0, 10, 0, 20], true],
    ["a request for the screen", "vnc", screen, false],
    ["two requests for the screen", "vnc", [...screen, ...screen], false],
    ["a key before such a request", "vnc", [4, 1, 0, 0, 0, 0, 0, 97, ...screen], true],
    ["nothing", "vnc", [], false],
    ["the same bytes on a serial line", "serial", screen, true],
    ["nothing on a serial line", "serial", [], false],
  ];
  for (const [name, kind, bytes, there] of cases)
    it(`is ${there ? "there" : "not shown"} by ${name}`, () =>
      assert.equal(isActivity(kind, Uint8Array.from(bytes)), there));
});
