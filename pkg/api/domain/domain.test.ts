import assert from "node:assert/strict";
import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";
import { consoleText } from "./console-text.js";
import { hostnameFrom } from "./hostname.js";
import { compareBytes, mergePages } from "./merge-rows.js";
import { ServerSortField } from "../../../gen/kilonova/api/v1/servers_service.js";
import { fullSort } from "./server-sort.js";
import { parseZone } from "./zone-request.js";

describe("hostnameFrom", () => {
  for (const [name, expected] of [
    ["My Server_1.example", "my-server-1-example"],
    ["--x--", "x"],
    ["日本", "Server-id"],
    ["café", "café"],
    ["a!b@c", "abc"],
    [`${"x".repeat(62)}-y`, "x".repeat(62)],
  ] as const) {
    it(`makes "${expected.slice(0, 20)}" out of "${name.slice(0, 20)}"`, () => {
      assert.equal(hostnameFrom(name, "Server-id"), expected);
    });
  }
});

describe("parseZone", () => {
  for (const [text, expected] of [
    ["", ["dflt", "", ""]],
    ["z", ["z", "", ""]],
    ["z:h", ["z", "h", ""]],
    ["z:h:n", ["z", "h", "n"]],
    ["z::n", ["z", "", "n"]],
    [":h", ["dflt", "h", ""]],
  ] as const) {
    it(`reads "${text}"`, () => {
      const { zone, host, node } = parseZone(text, "dflt");
      assert.deepEqual([zone, host, node], expected);
    });
  }
});

describe("mergePages", () => {
  const row = (
    id: string,
    value: string,
    generation = 1n,
  ): { serverId: string; sortValues: string[]; generation: bigint } => ({
    serverId: id,
    sortValues: [value, id],
    generation,
  });
  const desc = [
    { field: "created_at", direction: SortDirection.SORT_DIRECTION_DESC },
    { field: "id", direction: SortDirection.SORT_DIRECTION_DESC },
  ];

  it("merges by direction, counts a moving server once with its newest state, and tells of more", () => {
    const pages = [
      { database: "global", rows: [row("m", "\u00015"), row("a", "\u00011")], more: false },
      {
        database: "cell1",
        rows: [row("b", "\u00019"), row("m", "\u00015", 2n), row("n", "\u0000n")],
        more: false,
      },
    ];
    const merged = mergePages(pages, desc, 10);
    assert.deepEqual(
      merged.rows.map((one) => [one.row.serverId, one.database]),
      [
        ["b", "cell1"],
        ["m", "cell1"],
        ["a", "global"],
        ["n", "cell1"],
      ],
    );
    assert.equal(merged.more, false);
    assert.equal(mergePages(pages, desc, 3).more, true);
  });

  it("tells nothing beyond the end of a page that has more, however few rows it has", () => {
    const pages = [
      { database: "cell1", rows: [row("a", "\u00019"), row("c", "\u00017")], more: true },
      {
        database: "cell2",
        rows: ["8", "6", "5"].map((value) => row(`b${value}`, `\u0001${value}`)),
        more: false,
      },
    ];
    const { rows, more } = mergePages(pages, desc, 10);
    assert.deepEqual([rows.map((one) => one.row.serverId), more], [["a", "b8", "c"], true]);
  });

  it("compares as UTF-8 does", () => {
    const texts = ["\u{1f600}", "\uffee", "z", "", "zz"];
    const byBytes = [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual([...texts].sort(compareBytes), byBytes);
  });
});

describe("fullSort", () => {
  const ascending = (field: ServerSortField) => ({ field, direction: SortDirection.SORT_DIRECTION_ASC });
  it("appends created_at and id in the first direction", () => {
    assert.deepEqual(
      fullSort([ascending(ServerSortField.SERVER_SORT_FIELD_NAME)], false).map((key) => [
        key.field,
        key.direction,
      ]),
      [
        ["display_name", 1],
        ["created_at", 1],
        ["id", 1],
      ],
    );
    assert.deepEqual(
      fullSort([], false).map((key) => [key.field, key.direction]),
      [
        ["created_at", 2],
        ["id", 2],
      ],
    );
  });
  it("counts a key once", () => {
    const { SERVER_SORT_FIELD_LOCKED_BY: lock, SERVER_SORT_FIELD_NAME: name } = ServerSortField;
    assert.deepEqual(
      fullSort([lock, name, name].map(ascending), false).map((key) => key.field),
      ["locked_by", "display_name", "created_at", "id"],
    );
  });
  it("knows a column for every field", () => {
    for (const field of Object.values(ServerSortField).filter((value) => value !== 0))
      assert.ok(fullSort([ascending(field)], true)[0]?.field, String(field));
  });
  it("refuses hosts to tenants", () => {
    const { SERVER_SORT_FIELD_HOST: host } = ServerSortField;
    assert.throws(() => fullSort([ascending(host)], false), { reason: "NOT_AUTHORIZED" });
  });
});

describe("consoleText", () => {
  it("removes control characters and keeps whole lines from the end", () => {
    const log = Buffer.from("one\r\n\u001b[1mtwo\tx\nthree\n");
    assert.equal(consoleText(log, undefined), "one\n[1mtwo\tx\nthree\n");
    assert.equal(consoleText(log, 2), "[1mtwo\tx\nthree");
    assert.equal(consoleText(log, 0), "");
  });
});
