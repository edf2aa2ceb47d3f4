import assert from "node:assert/strict";
import { connect } from "node:net";
import { textOf } from "./parts.js";
import { PORTS } from "./stage.js";
import type { Stage } from "./stage.js";
import type { WireRow } from "./tables.js";
import { tablesOf } from "./tables.js";

interface WireTable {
  readonly rows: readonly WireRow[];
}

/**
 * How the connection ended: with an answer's status, closed without one, or still open when the row's time
 * was over.
 */
type End = string;

/** Every row of `table/wire`: what no HTTP client can be made to send, byte by byte. */
export function wireTable(stage: Stage): void {
  for (const [name, table] of tablesOf<WireTable>("wire")) {
    it(`${name}: ${table.rows.length} connections`, async () => {
      const before = await stage.database.counts();
      const wrong = (await Promise.all(table.rows.map((row) => judge(stage, row)))).filter(Boolean);
      assert.equal(wrong.length, 0, `${wrong.length} ends differ:\n${wrong.join("\n")}`);
      assert.deepEqual(await stage.database.counts(), before, "something was made, or half of it");
    });
  }
}

async function judge(stage: Stage, row: WireRow): Promise<string> {
  const sent = textOf(row.send, stage.names);
  const { end, text } = await talk(
    stage.cloud.port(PORTS[row.service ?? "compute"]),
    Buffer.from(sent, "latin1"),
    row,
  );
  const leak = stage.leaks.look(text, sent, { admin: false, foreign: false });
  const expected = String(row.expect).split(" or ");
  if (expected.includes(end) && leak === "") return "";
  return `- ${row.what}: ${end} instead of ${String(row.expect)} ${leak} ${text.slice(0, 200)}`;
}

/**
 * Sends the bytes, and goes on sending the last one when the row stays, until something comes back or the
 * time is over.
 */
function talk(
  port: number,
  bytes: Buffer,
  { stay = false, withinMs = 30_000 }: WireRow,
): Promise<{ end: End; text: string }> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes);
    });
    const drip = stay
      ? setInterval(() => {
          if (!socket.destroyed) socket.write(bytes.subarray(-1));
        }, 1000)
      : undefined;
    const finish = (end: End): void => {
      clearInterval(drip);
      clearTimeout(timer);
      socket.destroy();
      resolve({ end, text });
    };
    const timer = setTimeout(() => finish("open"), withinMs);
    socket.on("data", (part: Buffer) => {
      text += part.toString("latin1");
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      if (status !== undefined && text.includes("\r\n\r\n")) finish(status);
    });
    socket.on("error", () => finish("closed"));
    socket.on("close", () => finish("closed"));
  });
}
