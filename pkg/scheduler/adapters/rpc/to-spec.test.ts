import assert from "node:assert/strict";
import { ServerSpec } from "../../../../gen/kilonova/type/v1/server_spec.js";
import imageProperties from "../../filters/image-properties.js";
import { aHostView } from "../../testing/builders.js";
import { toSpec } from "./to-spec.js";

const specOf = (properties: Record<string, string>) =>
  toSpec(
    {
      serverId: "s",
      projectId: "p",
      userId: "u",
      spec: ServerSpec.fromPartial({
        flavor: { name: "f" },
        image: { id: "i", properties: new Map(Object.entries(properties)) },
      }),
      group: undefined,
      excludeHosts: [],
      isRebuild: false,
    },
    () => new Set(),
  );

describe("what a request is to the scheduler", () => {
  it("reads image properties under their present names", () => {
    const { image } = specOf({ architecture: "AMD64", vm_mode: "hv", hypervisor_type: "QEMU" });
    assert.deepEqual(Object.fromEntries(image?.properties ?? []), {
      hw_architecture: "x86_64",
      hw_vm_mode: "hvm",
      img_hv_type: "qemu",
    });
  });

  it("keeps an image with the older name `architecture` off hosts of another", () => {
    const judge = (architecture: string) => imageProperties.bind({})(aHostView(), specOf({ architecture }));
    assert.deepEqual([judge("aarch64").passed, judge("amd64").passed], [false, true]);
  });
});
