import assert from "node:assert/strict";
import type { Logger } from "../../kernel/index.js";
import { silentLogger } from "../../kernel/index.js";
import { until } from "../../testkit/until.js";
import { fakeApiChannel } from "../testing/fake-api.js";
import { serveTestGateway } from "../testing/test-gateway.js";
import { withoutSecrets } from "./path.js";

describe("the paths of a log", () => {
  it("do not tell the tokens of consoles, however they are spelled", () => {
    const shown = "/v2.1/os-console-auth-tokens/***";
    for (const path of [
      "os-console-auth-tokens/s3cret",
      "os%2Dconsole-auth-tokens//s3cret/",
      "os-console-auth-tokens%2Fs3cret",
    ])
      assert.equal(withoutSecrets(`/v2.1/${path}`), shown);
    for (const path of ["/v2.1/servers/a%20b", "/v2.1/os-console-auth-tokens/", "/%zz"])
      assert.equal(withoutSecrets(path), path);
  });

  it("are those of the access log", async () => {
    const paths: unknown[] = [];
    const log: Logger = {
      ...silentLogger,
      info: (event, fields) => void (event === "http.request" && paths.push(fields?.["path"])),
      child: () => log,
    };
    const gateway = await serveTestGateway(fakeApiChannel({}, []), { log });
    try {
      await gateway.ask("/v2.1/os-console-auth-tokens/s3cret", { version: "2.31" });
      await until(() => paths.length === 1);
      assert.deepEqual(paths, ["/v2.1/os-console-auth-tokens/***"]);
    } finally {
      await gateway.close();
    }
  });
});
