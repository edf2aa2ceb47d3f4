import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeptConversation } from "../firewall/conntrack.js";
import { longestTimeoutMs } from "../firewall/conntrack.js";
import { ConversationFiles } from "./conversation-files.js";

describe("conversations on disk", () => {
  let dir: string;
  const failures: unknown[] = [];
  const open = (): ConversationFiles => new ConversationFiles(dir, (error) => failures.push(error));
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "conversations-"));
    failures.length = 0;
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const kept: KeptConversation = {
    opening: {
      key: "17 0a000005 5 c0000201 53",
      version: 4,
      protocol: 17,
      remoteIp: "c0000201",
      destinationPort: 53,
      icmp: undefined,
    },
    openedBy: "egress",
    ending: "no",
    leftMs: 60_000,
  };
  const port = (portId: string, told: string[] = []) => ({
    portId,
    kept: () => {
      told.push(portId);
      return [kept];
    },
  });

  it("come back as they were, a little older, until their port is removed", () => {
    open().saveAll([port("p/../1")], 0);
    const [back, ...more] = open().read("p/../1");
    assert.deepEqual([{ ...back, leftMs: 60_000 }, more], [kept, []]);
    assert.ok(back !== undefined && back.leftMs <= 60_000 && back.leftMs > 0);
    open().remove("p/../1");
    assert.deepEqual([open().read("p/../1"), readdirSync(dir)], [[], []]);
  });

  it("are written at most twice a second for each port", () => {
    const told: string[] = [];
    const files = open();
    files.save([port("a", told)], 0);
    files.save([port("a", told), port("b", told)], 499);
    files.save([port("a", told)], 500);
    assert.deepEqual(told, ["a", "b", "a"]);
  });

  it("count as none when their file makes no sense, and are gone when nothing in it can be alive", () => {
    writeFileSync(join(dir, "a.json"), `{"savedAtMs": 1, "conversations": [{"opening": {}}]}`);
    assert.deepEqual(open().read("a"), []);
    const old = (Date.now() - longestTimeoutMs) / 1_000 - 1;
    utimesSync(join(dir, "a.json"), old, old);
    open();
    assert.deepEqual([readdirSync(dir), failures], [[], []]);
  });

  it("wait a while after the disk refused them, which is reported", () => {
    const files = open();
    rmSync(dir, { recursive: true });
    const told: string[] = [];
    files.save([port("a", told)], 0);
    files.save([port("a", told)], 29_999);
    assert.deepEqual([told, failures.length], [["a"], 1]);
    files.save([port("a", told)], 30_000);
    assert.deepEqual([told, failures.length], [["a", "a"], 2]);
  });
});
