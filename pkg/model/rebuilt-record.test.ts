import assert from "node:assert/strict";
import { RebuildInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { Server } from "../../gen/kilonova/cells/v1/server.js";
import { rebuiltFields } from "./rebuilt-record.js";

describe("what a rebuild changes of a server", () => {
  const before = Server.fromPartial({
    name: "vm",
    hostInfo: { host: "h1", kernelId: "k", ramdiskId: "r" },
  });
  const changed = (init: object) => {
    const { hostInfo, ...fields } = rebuiltFields(before, RebuildInput.fromPartial(init));
    return [fields, hostInfo?.host, hostInfo?.kernelId, hostInfo?.ramdiskId];
  };

  it("is what the mask names, its kernel and ramdisk among that", () => {
    assert.deepEqual(changed({ server: { name: "anew" }, serverMask: ["name"] }), [
      { name: "anew" },
      undefined,
      undefined,
      undefined,
    ]);
    assert.deepEqual(changed({ spec: { kernel: { id: "k2" } }, specMask: ["kernel", "ramdisk"] }), [
      {},
      "h1",
      "k2",
      undefined,
    ]);
  });
});
