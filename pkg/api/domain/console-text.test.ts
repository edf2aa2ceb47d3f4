import assert from "node:assert/strict";
import { consoleText } from "./console-text.js";

describe("a console's text", () => {
  const text = (log: string, lines?: number): string => consoleText(Buffer.from(log), lines);

  it("is the whole log, or so many of its last lines", () => {
    assert.equal(text("a\nb\nc\nd\n"), "a\nb\nc\nd\n");
    for (const [log, lines, want] of [
      ["a\nb\nc\nd\n", 3, "b\nc\nd"],
      ["a\nb\nc\nd", 3, "b\nc\nd"],
      ["a\nb\n\n", 2, "b\n"],
      ["a\nb\n", 9, "a\nb"],
      ["a\n", 0, ""],
      ["", 3, ""],
    ] as const)
      assert.equal(text(log, lines), want, JSON.stringify([log, lines]));
  });

  it("has as many lines as were asked for, for clients that part it at its newlines", () => {
    assert.equal(text("a\nb\nc\nd\n", 3).split("\n").length, 3);
  });

  it("has no control characters but tabs and newlines", () => {
    assert.equal(text("\u001b[31ma\tb\r\n\u0000c"), "[31ma\tb\nc");
    assert.equal(text("\u009b31mred\u007f \u0085\u009d0;title\u009c é"), "31mred 0;title é");
  });
});
