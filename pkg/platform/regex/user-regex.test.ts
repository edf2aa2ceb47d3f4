import assert from "node:assert/strict";
import { readUserRegex } from "./user-regex.js";

describe("readUserRegex", () => {
  for (const [text, expected] of [
    ["web", "web"],
    ["^web-\\d+$", "(?:^)web\\-[0-9]+(?:$)"],
    ["a.c", "a[^\\n]c"],
    ["(foo|bar)+?", "(?:foo|bar)+"],
    ["(?P<n>a)(?<m>b)(?:c)(?i)d(?i:e)", "(?:a)(?:b)(?:c)d(?:e)"],
    ["x{2}y{2,}z{2,3}?", "x{2}y{2,}z{2,3}"],
    ["x{,3}", "x\\{\\,3\\}"],
    ["{a}", "\\{a\\}"],
    ["[]a-z^-]", "[\\]a-z\\^\\-]"],
    ["[^[:alpha:][:word:]\\d\\]]", "[^[:alpha:]0-9A-Za-z_0-9\\]]"],
    ["[[.a.]]", "[\\[\\.a\\.]\\]"],
    ["[\\w-z]", "[0-9A-Za-z_\\-z]"],
    ["\\bweb\\B\\A\\z", "(?:\\y)web(?:\\Y)(?:\\A)(?:\\Z)"],
    ["\\Qa.b(\\E+", "a\\.b\\(+"],
    ["\\x41\\x{1F600}\\t\\.", "\\U00000041\\U0001f600\\t\\."],
    ["日本 é", "日本\\ é"],
  ] as const) {
    it(`writes ${text} as PostgreSQL's`, () => {
      assert.deepEqual(readUserRegex(text), { postgres: expected });
    });
  }

  for (const text of [
    `${"(.+)".repeat(8)}\\8\\7\\6\\5\\4\\3\\2\\1$`,
    "(a)\\1",
    "(?=a)b",
    "(?!a)b",
    "(?<=a)b",
    "(?<!a)b",
    "***=a.b",
    "***:a",
    "(?x)a b",
    "(?s)a.b",
    "(?-i)a",
    "(?b)a",
    "\\ya",
    "\\ma\\M",
    "\\Za",
    "\\u0041",
    "\\cA",
    "\\101",
    "\\pL",
    "[[:<:]]a",
    "[[:^alpha:]]",
    "a{256}",
    "a{1001}",
    "((a{10}){10}){30}",
    "(?:.{200}){5}(?:.{200}){5}(?:.{200}){5}",
    "a**",
    "(",
    "[a",
    "a\\",
    "a\0b",
    "\\x00",
    "x".repeat(256),
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.match(readUserRegex(text).problem ?? "", /./);
    });
  }
});
