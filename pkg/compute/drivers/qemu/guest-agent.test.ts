import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentListens, askGuestAgent } from "./guest-agent.js";

/** A guest's end of the channel that answers each line. */
async function guest(
  answer: (line: string, socket: Socket) => void,
): Promise<{ path: string; server: Server }> {
  const path = join(mkdtempSync(join(tmpdir(), "kilonova-agent-")), "qga.sock");
  const server = createServer((socket) => {
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
        answer(text.slice(text.indexOf("{"), end), socket);
        text = text.slice(end + 1);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { path, server };
}

interface Question {
  readonly execute: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

const polite =
  (answer: (question: Question) => string) =>
  (line: string, socket: Socket): void => {
    const question = JSON.parse(line) as Question;
    if (question.execute === "guest-sync-delimited")
      socket.write(
        Buffer.concat([Buffer.of(0xff), Buffer.from(`{"return": ${String(question.arguments["id"])}}\n`)]),
      );
    else socket.write(`${answer(question)}\n`);
  };

describe("the agent inside a guest", () => {
  const servers: { path: string; server: Server }[] = [];
  afterEach(async () => {
    for (const { server, path } of servers.splice(0)) {
      await new Promise((resolve) => server.close(resolve));
      rmSync(join(path, ".."), { recursive: true, force: true });
    }
  });
  const play = async (answer: (line: string, socket: Socket) => void): Promise<string> => {
    const one = await guest(answer);
    servers.push(one);
    return one.path;
  };

  it("listens while its end of the channel is open, as QEMU sees it", async () => {
    const seen = (chardevs: unknown[]) => agentListens({ execute: async () => chardevs });
    const monitor = { label: "compat_monitor0", "frontend-open": true };
    assert.equal(await seen([monitor, { label: "qga0", "frontend-open": true }]), true);
    assert.equal(await seen([monitor, { label: "qga0", "frontend-open": false }]), false);
    assert.equal(await seen([monitor]), false);
  });

  it("is asked once its answers are told from leftovers", async () => {
    const asked: Question[] = [];
    const path = await play((line, socket) => {
      if (line.includes("sync")) socket.write('{"return": "an old answer"}\n');
      polite((question) => {
        asked.push(question);
        return '{"return": {"ok": true}}';
      })(line, socket);
    });
    assert.deepEqual(await askGuestAgent(path, "guest-ping", { a: 1 }), { ok: true });
    assert.deepEqual(asked, [{ execute: "guest-ping", arguments: { a: 1 } }]);
  });

  it("may refuse, and its text goes to administrators only", async () => {
    const path = await play(polite(() => '{"error": {"class": "GenericError", "desc": "no such user"}}'));
    await assert.rejects(askGuestAgent(path, "guest-set-user-password", {}), (error: Error) => {
      assert.ok(!error.message.includes("no such user"));
      assert.match(String((error.cause as Error).message), /no such user/);
      return (error as unknown as { reason: string }).reason === "GUEST_AGENT_REFUSED";
    });
  });

  it("may refuse in whatever form", async () => {
    const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
    for (const error of [deep, "null", '"no"', '{"desc": 7}', "{}"]) {
      const path = await play(polite(() => `{"error": ${error}}`));
      await assert.rejects(askGuestAgent(path, "guest-ping", {}), { reason: "GUEST_AGENT_REFUSED" }, error);
    }
  });

  for (const [what, answer] of [
    ["says nothing", () => {}],
    ["floods", (_line: string, socket: Socket) => socket.write(Buffer.alloc(128 * 1024, 0x20))],
    ["speaks no JSON", polite(() => "hello")],
    ["hangs up", (_line: string, socket: Socket) => socket.end()],
  ] as const)
    it(`counts as missing when it ${what}`, async () => {
      const path = await play(answer);
      await assert.rejects(askGuestAgent(path, "guest-ping", {}, 300), { reason: "GUEST_AGENT_MISSING" });
    });

  it("counts as missing when there is no channel", () =>
    assert.rejects(askGuestAgent("/nowhere/qga.sock", "guest-ping", {}, 300), {
      reason: "GUEST_AGENT_MISSING",
    }));
});
