import assert from "node:assert/strict";
import { actionBodies } from "../../pkg/gateway/resources/servers/actions/index.gen.js";
import { SchemaCompiler } from "../../pkg/gateway/schema/compiler.js";
import type { Json } from "../../pkg/gateway/http/json.js";
import { Protos } from "../e2e/bad-input/protos.js";
import { Random } from "../e2e/bad-input/fuzz/random.js";
import { kindsOf } from "./kinds.js";
import { actionRequest, callRequest } from "./requests.js";
import type { Things } from "./requests.js";

const TRIES = 60;
const things: Things = {
  serverId: "70a599e0-31e7-49b7-b260-868f441e862b",
  clientToken: "token",
  imageIds: ["1a000000-0000-4000-8000-000000000001"],
  flavorId: "1",
  networkId: "4e000000-0000-4000-8000-000000000001",
  portIds: ["9a000000-0000-4000-8000-000000000001"],
  aggregateId: "1",
  volumeIds: ["50000000-0000-4000-8000-000000000001"],
};
const tries = Array.from({ length: TRIES }, (_, seed) => new Random(seed));
const protos = new Protos();
const methods = kindsOf(protos).flatMap((one) => one.methods);

describe("requests of a soak", () => {
  it("are taken by the schema of each action in more than a third of the cases", () => {
    const compiler = new SchemaCompiler();
    for (const { key } of methods) {
      const declared = actionBodies.find((one) => one.key === key);
      if (key === undefined || declared === undefined) continue;
      const taken = tries.filter((random) => {
        const { body, version } = actionRequest(key, things, random);
        try {
          compiler.checkBody(
            declared.body,
            { version: Number(version.replace("2.", "")), legacy: false },
            body as Json,
          );
          return true;
        } catch {
          return false;
        }
      }).length;
      assert.ok(taken * 3 > TRIES, `${key}: ${taken} of ${TRIES}`);
    }
  });

  it("fit the message of every method that begins something, and name the server", () => {
    for (const { name } of methods) {
      const method = protos.methods.find((one) => one.name === name) ?? assert.fail(name);
      for (const random of tries) protos.encode(method, callRequest(method, things, random));
      if (method.input.fields.some((field) => field.name === "server_id"))
        for (const random of tries)
          assert.equal(
            (callRequest(method, things, random) as { serverId?: string }).serverId,
            things.serverId,
            name,
          );
    }
  });
});
