import assert from "node:assert/strict";
import {
  CreateServersRequest,
  GetServerResponse,
  ServersServiceDefinition,
} from "../../../gen/kilonova/api/v1/servers_service.js";
import {
  GetStoredOperationResponse,
  OperationStoreServiceDefinition,
  PrepareHandoverRequest,
} from "../../../gen/kilonova/cells/v1/operations_service.js";
import {
  generatedAs,
  messageNames,
  saltIn,
  saltable,
  salted,
  saltedAs,
} from "../../testkit/unknown-fields.js";
import { Actor } from "../../../gen/kilonova/type/v1/actor.js";
import { testCtx } from "../../testkit/ctx.js";
import { bindPart } from "./bind.js";
import { carrierOf, decodeActor } from "./carrier.js";
import { encodeMessage, encodeRequest } from "./encode.js";
import type { MessageType } from "./message-type.js";
import type { ServiceDefinition } from "./types.js";

const typeOf = async (name: string): Promise<MessageType> => {
  const { module, symbol } = generatedAs(name);
  const exports = (await import(`../../../gen/${module}.js`)) as Record<string, MessageType>;
  return exports[symbol] ?? assert.fail(`${name} is not generated`);
};

describe("fields of a newer build", () => {
  it("stay with every message of the contract, at every depth, decoded, copied and encoded", async function () {
    this.timeout(60_000); // All of gen/ is compiled.
    const names = messageNames();
    assert.ok(names.length > 400, `${names.length} messages`);
    for (const name of names) {
      const type = await typeOf(name);
      const wanted = saltable(name);
      const message = type.decode(salted(name));
      assert.deepEqual(saltIn(name, encodeMessage(type, message)), wanted, `${name}: decode, encode`);
      assert.deepEqual(saltIn(name, encodeRequest(type, message)), wanted, `${name}: fromPartial`);
      assert.deepEqual(
        saltIn(name, encodeMessage(type, { ...(message as object) })),
        wanted,
        `${name}: a copy`,
      );
    }
  });

  const bound = (definition: ServiceDefinition, method: string) =>
    bindPart(definition, {}).methods.find((one) => one.method === method) ?? assert.fail(method);

  it("pass between services", () => {
    const method = bound(OperationStoreServiceDefinition, "PrepareHandover");
    const name = "kilonova.cells.v1.PrepareHandoverRequest";
    const request = method.decodeRequest(salted(name)) as PrepareHandoverRequest;
    assert.deepEqual(saltIn(name, PrepareHandoverRequest.encode(request).finish()), saltable(name));
    const answer = "kilonova.cells.v1.GetStoredOperationResponse";
    const got = saltedAs(answer, GetStoredOperationResponse, GetStoredOperationResponse.fromPartial({}));
    assert.deepEqual(
      saltIn(answer, bound(OperationStoreServiceDefinition, "GetStoredOperation").encodeResponse(got)),
      saltable(answer),
    );
  });

  it("pass on with who asks", () => {
    const name = "kilonova.type.v1.Actor";
    const actor = decodeActor(salted(name, Actor.encode(Actor.fromPartial({ userId: "u" })).finish()));
    // The same actor, and one that was made of it.
    for (const who of [actor, { ...actor }]) {
      const ctx = testCtx({ actor: who });
      assert.deepEqual(
        saltIn(name, carrierOf(ctx, "kilonova.cells.v1.InstancesService").actor),
        new Set([""]),
      );
    }
  });

  it("are not believed from users, and not told to them", () => {
    const method = bound(ServersServiceDefinition, "CreateServers");
    const name = "kilonova.api.v1.CreateServersRequest";
    const request = method.decodeRequest(salted(name));
    assert.deepEqual(saltIn(name, encodeMessage(CreateServersRequest, request)), new Set());
    const answer = "kilonova.api.v1.GetServerResponse";
    const got = saltedAs(answer, GetServerResponse, GetServerResponse.fromPartial({ cellUnreachable: true }));
    const bytes = bound(ServersServiceDefinition, "GetServer").encodeResponse(got);
    assert.deepEqual(saltIn(answer, bytes), new Set());
    assert.equal(GetServerResponse.decode(bytes).cellUnreachable, true);
    assert.notEqual(got.server?._unknownFields, undefined, "the answer itself was changed");
  });
});
