import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/index.js";
import { fromWireStatus, toWireStatus } from "./status.js";

const anError = (init: {
  message?: string;
  facts?: Record<string, string>;
  violations?: readonly { field: string; description: string }[];
}): KilonovaError =>
  new KilonovaError({ kind: "invalid", domain: "api", reason: "BAD", message: "bad", ...init });

describe("an error on the wire", () => {
  it("fits into trailers with many quotas that are called long names", () => {
    const subject = Array.from({ length: 50 }, () => "é".repeat(40)).join(",");
    const long = "é".repeat(5_000);
    const { message, details } = toWireStatus(
      new KilonovaError({
        kind: "quota",
        domain: "api",
        reason: "NO",
        message: long,
        facts: { long },
        subject,
      }),
    );
    const bytes = encodeURIComponent(message).length + Buffer.from(details).toString("base64").length;
    assert.ok(bytes < 16 << 10, `${bytes} bytes`);
  });

  it("comes back as it was sent", () => {
    const sent = anError({
      message: "50 % of 😀 is bad",
      facts: { name: "x" },
      violations: [{ field: "name", description: "is bad" }],
    });
    const { code, message, details } = toWireStatus(sent);
    const back = fromWireStatus(code, message, details);
    assert.deepEqual(
      [back.kind, back.domain, back.reason, back.message, back.facts, back.violations],
      [sent.kind, sent.domain, sent.reason, sent.message, sent.facts, sent.violations],
    );
  });

  it("keeps what a quota or a state is about", () => {
    for (const kind of ["quota", "refused"] as const) {
      const sent = new KilonovaError({
        kind,
        domain: "cells",
        reason: "NO",
        message: "no",
        subject: "cores,ram",
      });
      const { code, message, details } = toWireStatus(sent);
      assert.equal(fromWireStatus(code, message, details).subject, "cores,ram");
    }
  });

  it("fits into trailers, whatever it quotes", () => {
    for (const character of ["x", "%", "ä", "😀", "\u0000"]) {
      const long = character.repeat(30_000);
      const violations = Array.from({ length: 500 }, (_, i) => ({ field: `${long}${i}`, description: long }));
      const { message, details } = toWireStatus(
        anError({ message: long, facts: { long, short: "kept", [long]: "v" }, violations }),
      );
      const bytes = encodeURIComponent(message).length + Buffer.from(details).toString("base64").length;
      assert.ok(bytes < 16 << 10, `${bytes} bytes of ${JSON.stringify(character)}`);
      assert.ok(message.endsWith("…"));
      const { facts, violations: kept } = fromWireStatus(3, message, details);
      assert.deepEqual(facts, { short: "kept" });
      assert.ok(kept.length > 0 && kept.every(({ field }) => !field.includes("\uFFFD")));
    }
  });
});
