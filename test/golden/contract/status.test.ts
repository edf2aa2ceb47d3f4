import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRoutes } from "../../../pkg/gateway/routing/routes.js";
import { routeTable } from "../../../pkg/gateway/routing/table.js";
import { startTestGateway } from "../../../pkg/gateway/testing/test-gateway.js";
import { packageRoot } from "../../../pkg/platform/service/index.js";

describe("docs/status.md", () => {
  it("names every route of the Compute API that answers 501, and no other", async () => {
    const text = readFileSync(join(packageRoot(), "docs", "status.md"), "utf8");
    const table = text.slice(
      text.indexOf("<!-- unserved routes"),
      text.indexOf("<!-- end of unserved routes -->"),
    );
    const told = [...table.matchAll(/`([A-Z]+ \/[^`]*)`/g)].map(([, route]) => route);
    // The fake api has nothing either, but says so in other words.
    const gateway = await startTestGateway({});
    const unserved: string[] = [];
    for (const { key, method, path, action, span } of parseRoutes(routeTable)) {
      const { status, text: answer } = await gateway.ask(
        `/v2.1${path.replace("{id}", "1").replace("{sub}", "1")}`,
        {
          method,
          token: "admin",
          version: `2.${span.min}`,
          ...(action === "" ? {} : { body: { [action]: null } }),
        },
      );
      if (status === 501 && answer.includes(key)) unserved.push(key);
    }
    await gateway.close();
    assert.ok(unserved.length > 50, String(unserved.length));
    assert.deepEqual([...told].sort(), [...unserved].sort());
  });
});
