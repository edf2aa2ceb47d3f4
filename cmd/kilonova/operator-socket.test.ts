import assert from "node:assert/strict";
import { join } from "node:path";
import { GlobalServiceDefinition } from "../../gen/kilonova/cells/v1/global_service.js";
import { scratchFolder } from "../../pkg/testkit/scratch.js";
import { asOperator } from "./operator-socket.js";

describe("an operator's command", () => {
  const folder = scratchFolder("operator");

  it("says that no cloud runs there, and how to name another place", async () => {
    const said: string[] = [];
    const before = [console.error, process.exitCode] as const;
    console.error = (text: string) => void said.push(text);
    try {
      await asOperator(join(folder(), "home"), async (ctx, channel) => {
        await channel.client(GlobalServiceDefinition).listCells(ctx, {});
      });
      assert.equal(process.exitCode, 1);
    } finally {
      [console.error, process.exitCode] = before;
    }
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", /^No cloud runs at .*home\. .*KILONOVA_HOME/);
  });
});
