import assert from "node:assert/strict";
import { mayOpen } from "./origin.js";

describe("pages that may open consoles", () => {
  const cases: readonly [name: string, origin: string | undefined, host: string | undefined, may: boolean][] =
    [
      ["a program that is no browser", undefined, "console.example.com", true],
      ["our own", "https://console.example.com", "console.example.com", true],
      ["our own at another port than usual", "http://127.0.0.1:6080", "127.0.0.1:6080", true],
      ["one on another port", "http://127.0.0.1:8000", "127.0.0.1:6080", false],
      ["a foreign one", "https://evil.example.com", "console.example.com", false],
      ["one whose name ends as ours", "https://not-console.example.com", "console.example.com", false],
      ["one that is allowed", "https://dashboard.example.com", "console.example.com", true],
      ["one that is allowed by another scheme", "http://dashboard.example.com", "console.example.com", false],
      ["a sandboxed one", "null", "console.example.com", false],
      ["any, when the host is not told", "https://console.example.com", undefined, false],
    ];
  for (const [name, origin, host, may] of cases)
    it(`${may ? "are" : "are not"}: ${name}`, () =>
      assert.equal(mayOpen(origin, host, ["https://dashboard.example.com"]), may));
});
