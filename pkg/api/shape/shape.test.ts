import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { RebuildServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import { KilonovaError } from "../../kernel/index.js";
import { rebuildShape } from "../rebuild/shape.js";
import { aReadyApi, administrator, as } from "../testing/an-api.js";
import { shapeCheck } from "./shape.js";

const IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b";
const contract = createFileRegistry(
  fromBinary(
    FileDescriptorSetSchema,
    readFileSync(new URL("../../../gen/descriptors.binpb", import.meta.url)),
  ),
);

const isTime = ({ message }: DescField): boolean => message?.typeName === "google.protobuf.Timestamp";

/** The way to each field of a message that is an enum or a time, also inside other messages. */
function wildPaths(message: DescMessage, seen: readonly DescMessage[] = []): DescField[][] {
  if (seen.includes(message)) return [];
  return message.fields.flatMap((field) => {
    if (field.enum !== undefined || isTime(field)) return [[field]];
    return field.message === undefined
      ? []
      : wildPaths(field.message, [...seen, message]).map((rest) => [field, ...rest]);
  });
}

/** A message with nothing but a number at the end of the way that its enum, or no calendar, has. */
function undefinedAt(
  message: DescMessage,
  [field, ...rest]: readonly DescField[],
): MessageShape<DescMessage> {
  assert.ok(field);
  const value =
    field.message === undefined
      ? 99
      : isTime(field)
        ? create(field.message, { seconds: 9_000_000_000_000_000n })
        : undefinedAt(field.message, rest);
  return create(message, { [field.localName]: field.fieldKind === "list" ? [value] : value });
}

const spelled = (path: readonly DescField[]): string =>
  path.map((field) => `${field.name}${field.fieldKind === "list" ? "[0]" : ""}`).join(".");

describe("shapes of requests", () => {
  const served = aReadyApi()
    .service.bindings.flatMap(({ methods }) => methods)
    // The gateway's lists wrap these requests.
    .filter((method) => method.served && method.allowedCallers.has("user"));
  const cases = served.flatMap((method) => {
    const service = contract.getService(method.service) ?? assert.fail(method.service);
    const { input } =
      service.methods.find(({ name }) => name === method.method) ?? assert.fail(method.method);
    return wildPaths(input).map((path) => ({ method, input, path }));
  });

  it("find enums and times in the contract", () => assert.ok(cases.length >= 25, String(cases.length)));

  for (const { method, input, path } of cases) {
    it(`${method.method} refuses numbers of ${spelled(path)} that the contract does not have`, async () => {
      const request = method.decodeRequest(toBinary(input, undefinedAt(input, path)));
      const error = await (method.handler(as(administrator), request) as Promise<unknown>).then(
        () => undefined,
        (e: unknown) => e,
      );
      assert.ok(error instanceof KilonovaError);
      assert.equal(error.reason, "INVALID_REQUEST");
      assert.ok(
        error.violations.some(
          ({ field, description }) =>
            field === spelled(path) && /^must be (one of|a time in) /.test(description),
        ),
        JSON.stringify(error.violations),
      );
    });
  }

  it("tell the first problems of a request that has nothing else, and cost no more than these", () => {
    const check = shapeCheck<RebuildServerRequest>(rebuildShape);
    const updateMask = Array.from({ length: 80_000 }, (_, i) => `x${i}`);
    const request = RebuildServerRequest.fromPartial({ serverId: "s", imageId: IMAGE, updateMask });
    assert.throws(
      () => check(request),
      (error: KilonovaError) => {
        assert.equal(error.violations.length, 100);
        assert.equal(error.violations[0]?.description, '"x0" cannot be changed');
        return true;
      },
    );
  });
});
