import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { RebuildServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import { packageRoot } from "../../platform/service/index.js";
import { sealedFields } from "../sealed-fields.gen.js";
import { operationInput } from "./operation-input.js";

describe("operationInput", () => {
  it("keeps secrets out of the input, and nothing else", () => {
    const request = RebuildServerRequest.fromPartial({
      serverId: "s",
      name: "new",
      adminPassword: "open sesame",
      userData: "I2Nsb3Vk",
    });
    const { input, secrets } = operationInput("RebuildServer", RebuildServerRequest, request);
    const open = RebuildServerRequest.decode(input);
    assert.deepEqual(
      [open.serverId, open.name, open.adminPassword, open.userData],
      ["s", "new", "", undefined],
    );
    const sealed = RebuildServerRequest.decode(secrets);
    assert.deepEqual(
      [sealed.adminPassword, sealed.userData, sealed.name],
      ["open sesame", "I2Nsb3Vk", undefined],
    );
    assert.ok(!Buffer.from(input).includes("sesame"));
  });

  it("knows every field of a request whose name tells a secret", () => {
    const { file } = fromBinary(
      FileDescriptorSetSchema,
      readFileSync(join(packageRoot(), "gen", "descriptors.binpb")),
    );
    const telling = file
      .filter((one) => one.package === "kilonova.api.v1")
      .flatMap(({ messageType }) => messageType)
      .filter(({ name }) => name.endsWith("Request"))
      .flatMap(({ name, field }) =>
        field
          .filter((one) => /^(admin_password|user_data|private_key|secret)$/.test(one.name))
          .map(({ jsonName }) => `${name}.${jsonName}`),
      );
    assert.ok(telling.length > 6);
    assert.deepEqual(
      telling.filter((one) => {
        const [name = "", field = ""] = one.split(".");
        return !(sealedFields.get(name) ?? []).includes(field);
      }),
      [],
    );
  });
});
