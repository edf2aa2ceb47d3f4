import assert from "node:assert/strict";
import { RequestPurpose } from "../../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { BlockDeviceDestination, BlockDeviceSource } from "../../../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../../../gen/kilonova/type/v1/block_device.js";
import { ServerSpec } from "../../../../gen/kilonova/type/v1/server_spec.js";
import imageProperties from "../../filters/image-properties.js";
import { aHostView } from "../../testing/builders.js";
import { toSpec } from "./to-spec.js";
import type { WireRequest } from "./to-spec.js";

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

describe("a server on a volume", () => {
  const read = (blockDevices: Partial<BlockDevice>[], hasImage = false) => {
    const { rootGib, image } = toSpec(
      {
        ...{ serverId: "s", projectId: "p", userId: "u", group: undefined, excludeHosts: [] },
        spec: ServerSpec.fromPartial({
          flavor: { name: "f", rootGib: 5 },
          blockDevices,
          ...(hasImage ? { image: { id: "i", diskFormat: "qcow2" } } : {}),
          volumeImageProperties: new Map(hasImage ? [] : [["architecture", "amd64"]]),
        }),
      },
      () => new Set(),
    );
    return [rootGib, image?.diskFormat, Object.fromEntries(image?.properties ?? [])];
  };
  const root = {
    source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME,
    destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
    bootIndex: 0,
  };

  it("needs no room for it on a host, and what its image says", () => {
    assert.deepEqual(read([root]), [0, "", { hw_architecture: "x86_64" }]);
  });
  it("needs no host that reads the image which has brought the volume", () => {
    assert.deepEqual(read([root], true), [0, "", {}]);
    assert.deepEqual(read([], true), [5, "qcow2", {}]);
  });
});

describe("hints of a request", () => {
  const read = (spec: object) =>
    Object.fromEntries(
      toSpec(
        {
          ...{ serverId: "s", projectId: "p", userId: "u", group: undefined, excludeHosts: [] },
          spec: ServerSpec.fromPartial({ flavor: { name: "f" }, ...spec }),
        },
        () => new Set(),
      ).hints,
    );
  it("are read from their fields, and from the JSON of a spec that was stored before there were any", () => {
    const hints = { same_host: ["a"], mine: ["1"] };
    const others = new Map([["mine", { values: ["1"] }]]);
    assert.deepEqual(read({ schedulerHints: { sameHost: ["a"], others } }), hints);
    assert.deepEqual(read({ schedulerHintsJson: '{"same_host": "a", "mine": [1]}' }), hints);
    assert.deepEqual(read({}), {});
  });
});

describe("where a request may go", () => {
  const { REQUEST_PURPOSE_BOOT, REQUEST_PURPOSE_RESIZE, REQUEST_PURPOSE_REBUILD_CHECK } = RequestPurpose;
  const source = { cell: "cell1", host: "a", computeNodeId: "id-a", allowed: false };
  const wishes = { forcedHost: "f", forcedNode: "", requestedHost: "r", requestedNode: "n" };
  const read = (request: Partial<WireRequest>) => {
    const spec = ServerSpec.fromPartial({ flavor: { name: "f" }, ...wishes });
    const base = { serverId: "s", projectId: "p", userId: "u", group: undefined, excludeHosts: [] };
    return toSpec({ ...base, spec, ...request }, () => new Set());
  };
  const wished = (request: Partial<WireRequest>) => {
    const { forcedHost, forcedNode, requestedHost, requestedNode } = read(request);
    return [forcedHost, forcedNode, requestedHost, requestedNode].join();
  };
  const resize = { purpose: REQUEST_PURPOSE_RESIZE, source, migrationId: "m" };

  it("is what a boot's spec wishes, unless the request says otherwise", () => {
    assert.equal(wished({}), "f,,r,n");
    assert.equal(wished({ purpose: REQUEST_PURPOSE_BOOT }), "f,,r,n");
    assert.equal(wished({ requestedDestination: { host: "x", node: "y", forced: false } }), ",,x,y");
  });
  it("is not what the boot was forced to when the server moves", () => {
    assert.equal(wished(resize), ",,,");
    assert.equal(wished({ ...resize, requestedDestination: { host: "x", node: "", forced: true } }), "x,,,");
  });
  it("is the server's own host for a rebuild, in either form", () => {
    assert.equal(wished({ purpose: REQUEST_PURPOSE_REBUILD_CHECK, source }), "a,,,");
    assert.deepEqual(
      [wished({ isRebuild: true }), read({ isRebuild: true }).purpose],
      ["f,,,", "rebuild-check"],
    );
  });
  it("knows a move's source, and none of other servers", () => {
    assert.deepEqual(read(resize).source, { ...source, hypervisor: undefined });
    assert.equal(read({ source }).source, undefined);
  });
});
