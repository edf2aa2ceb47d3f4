import assert from "node:assert/strict";
import { NetworkMode } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { DiskConfig } from "../../../../gen/kilonova/type/v1/server.js";
import type { Json } from "../../http/json.js";
import { someRequest } from "../../testing/requests.js";
import { createRequest } from "./create-request.js";
import { updateRequest } from "./update-request.js";

const NET = "f6b1ef80-0b0e-4b1a-a1e5-1d4d3a7d2f10";
const create = (server: Record<string, Json>, minor = 104, outer: Record<string, Json> = {}) =>
  createRequest(
    someRequest({ minor, body: { server: { name: "web", flavorRef: "1", ...server }, ...outer } }),
  );

describe("gateway: server bodies", () => {
  it("reads ids out of addresses, words and digits", () => {
    const request = create({
      flavorRef: "http://h/v2.1/flavors/m1",
      min_count: "2",
      config_drive: "yes",
      "OS-DCF:diskConfig": "MANUAL",
    });
    assert.deepEqual(
      [request.flavorId, request.minCount, request.maxCount, request.configDrive, request.diskConfig],
      ["m1", 2, 2, true, DiskConfig.DISK_CONFIG_MANUAL],
    );
    assert.equal(create({ flavorRef: 7 }).flavorId, "7");
    assert.equal(create({}).configDrive, undefined);
  });

  it("tells apart no network, an automatic one and a list", () => {
    assert.equal(create({ networks: "none" }).networkMode, NetworkMode.NETWORK_MODE_NONE);
    for (const networks of ["auto", []]) {
      const request = create({ networks });
      assert.deepEqual([request.networkMode, request.networks], [NetworkMode.NETWORK_MODE_AUTO, []]);
    }
    assert.deepEqual(
      create({
        networks: [
          { uuid: NET.toUpperCase(), fixed_ip: "10.0.0.5", tag: "a" },
          { port: NET, uuid: "ignored" },
        ],
      }).networks,
      [
        { networkId: NET, portId: "", fixedIp: "10.0.0.5", tag: "a" },
        { networkId: "", portId: NET, fixedIp: "", tag: "" },
      ],
    );
  });

  it("stores the name as description before descriptions existed", () => {
    const told = (server: Record<string, Json>, minor: number) => {
      const { description, hasDescription } = create(server, minor);
      return { description, hasDescription };
    };
    assert.deepEqual(told({}, 18), { description: "web", hasDescription: true });
    assert.deepEqual(told({}, 19), { description: "", hasDescription: false });
    assert.deepEqual(told({ description: "" }, 19), { description: "", hasDescription: true });
    assert.deepEqual(told({ description: null }, 19), { description: "", hasDescription: false });
  });

  it("keeps every metadata key and decodes files", () => {
    const body = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, Json>;
    assert.deepEqual(
      [...create({ metadata: body }).metadata],
      [
        ["__proto__", "a"],
        ["constructor", "b"],
      ],
    );
    assert.deepEqual(
      create({ personality: [{ path: "/etc/motd", contents: "aGk=" }] }, 56).files.map((f) => [
        f.path,
        f.contents.toString(),
      ]),
      [["/etc/motd", "hi"]],
    );
    assert.throws(() => create({ personality: [{ path: "/etc/motd" }] }, 56), { reason: "BAD_REQUEST" });
  });

  it("takes hints from either key, the first one first", () => {
    assert.equal(create({}, 1, { "OS-SCH-HNT:scheduler_hints": { a: 1 } }).schedulerHintsJson, '{"a":1}');
    assert.equal(
      create({}, 1, { "os:scheduler_hints": { b: 2 }, "OS-SCH-HNT:scheduler_hints": { a: 1 } })
        .schedulerHintsJson,
      '{"b":2}',
    );
  });

  it("translates the old block devices and normalizes the new ones", () => {
    const devices = (server: Record<string, Json>) =>
      create(server).blockDevicesJson.map((text) => JSON.parse(text) as unknown);
    assert.deepEqual(
      devices({
        block_device_mapping: [
          { volume_id: NET, delete_on_termination: "1" },
          { snapshot_id: NET, volume_size: "3" },
        ],
      }),
      [
        {
          source_type: "volume",
          uuid: NET,
          destination_type: "volume",
          boot_index: 0,
          delete_on_termination: true,
        },
        { source_type: "snapshot", uuid: NET, destination_type: "volume", boot_index: -1, volume_size: 3 },
      ],
    );
    assert.deepEqual(
      devices({
        block_device_mapping_v2: [
          { boot_index: "0", uuid: NET, source_type: "image", destination_type: "local" },
        ],
      }),
      [{ boot_index: 0, uuid: NET, source_type: "image", destination_type: "local" }],
    );
  });

  it("updates only what the body has: absent, null and empty are three things", () => {
    const update = (server: Record<string, Json>) =>
      updateRequest(someRequest({ minor: 104, id: "s", body: { server } }));
    assert.deepEqual(update({ name: "n" }).updateMask, ["name"]);
    assert.deepEqual(update({}).updateMask, []);
    const cleared = update({ description: null, pinned_availability_zone: null });
    assert.deepEqual(
      [cleared.updateMask, cleared.server?.hasDescription],
      [["description", "pinned_availability_zone"], false],
    );
    const emptied = update({ description: "" });
    assert.deepEqual([emptied.updateMask, emptied.server?.hasDescription], [["description"], true]);
  });
});
