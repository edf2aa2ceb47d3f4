import assert from "node:assert/strict";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { RescueInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { ComputeNode } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { ServerHostInfo, ServerImage } from "../../../gen/kilonova/type/v1/server.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { KilonovaError } from "../../kernel/index.js";
import type { TestApi } from "../testing/an-api.js";
import { anApi, anImage, as, member } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001";
const OWN = "aaaaaaaa-0000-4000-8000-000000000001";
const RESCUE = "aaaaaaaa-0000-4000-8000-000000000002";
const OTHER = "aaaaaaaa-0000-4000-8000-000000000003";

interface Refusal {
  readonly reason: string;
  readonly message?: string;
}

/** An api with an active server of its own image on a host that can rescue. */
function bench(over: Partial<Server> = {}): TestApi {
  const api = anApi();
  api.cells.setNodes("cell1", [ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities: ["rescue"] })]);
  api.cells.put("cell1", {
    id: A,
    hostInfo: ServerHostInfo.fromPartial({ host: "h1", node: "n1", instanceName: "instance-1" }),
    image: ServerImage.fromPartial({ id: OWN }),
    launchedAt: { seconds: 1n, nanos: 0 },
    ...over,
  });
  for (const id of [OWN, RESCUE, OTHER]) api.images.set(id, anImage({ id }));
  return api;
}
const rescue = (api: TestApi, request: object = {}) =>
  api.channel.client(ServersServiceDefinition).rescueServer(as(member), { serverId: A, ...request });
const accepted = (api: TestApi) => {
  const { input, secrets } = api.cells.requests.get("acceptOperation") as AcceptOperationRequest;
  return { input: RescueInput.decode(input), secrets: ServerSecrets.decode(secrets) };
};

describe("rescueServer", () => {
  it("rescues from the image that is asked for, with the password that is asked for, which is sealed", async () => {
    const api = bench();
    const answer = await rescue(api, { imageId: RESCUE, adminPassword: "open sesame" });
    assert.equal(answer.operation?.kind, "server.rescue");
    assert.equal(answer.adminPassword, "open sesame");
    assert.deepEqual(answer.operation?.metadata?.asked, {
      $case: "rescueServer",
      value: { imageId: RESCUE },
    });
    const { input, secrets } = accepted(api);
    assert.deepEqual([input.image?.id, input.image?.osHashValue], [RESCUE, "h"]);
    assert.equal(secrets.adminPassword, "open sesame");
    assert.ok(!Buffer.from(RescueInput.encode(input).finish()).includes("sesame"));
  });

  it("makes a password when none is given, and tells it once", async () => {
    const api = bench();
    const once = { clientToken: "t" };
    const { adminPassword } = await rescue(api, once);
    assert.match(adminPassword ?? "", /^\w{12}$/);
    assert.equal(accepted(api).secrets.adminPassword, adminPassword);
    assert.equal((await rescue(api, once)).adminPassword, undefined);
  });

  const origins: readonly (readonly [string, Record<string, string>, string])[] = [
    ["the server's own image", {}, OWN],
    ["the origin of its own image", { base_image_ref: OTHER }, OTHER],
  ];
  for (const [what, properties, expected] of origins) {
    it(`rescues from ${what} when none is asked for`, async () => {
      const image = ServerImage.fromPartial({ id: OWN, properties: new Map(Object.entries(properties)) });
      const api = bench({ image });
      await rescue(api);
      assert.equal(accepted(api).input.image?.id, expected);
    });
  }

  it("takes kernel and ramdisk along that the image names, and its properties", async () => {
    const api = bench();
    const properties = { kernel_id: OWN, ramdisk_id: OTHER, hw_rescue_bus: "scsi" };
    api.images.set(RESCUE, anImage({ id: RESCUE, properties }));
    await rescue(api, { imageId: RESCUE });
    const { image, kernel, ramdisk } = accepted(api).input;
    assert.deepEqual([kernel?.id, ramdisk?.id], [OWN, OTHER]);
    assert.equal(image?.properties.get("hw_rescue_bus"), "scsi");
  });

  it("seals user data for the config drive, and asks for none where there is no such drive", async () => {
    const api = bench({ configDrive: true, userData: "dXNlcg==" });
    await rescue(api);
    assert.equal(accepted(api).secrets.userData, "dXNlcg==");
    const without = bench({ userData: "dXNlcg==" });
    await rescue(without);
    assert.equal(accepted(without).secrets.userData, "");
  });

  const refusals: readonly (readonly [string, Parameters<typeof anImage>[0], Refusal])[] = [
    [
      "an image that is not there",
      { id: "aaaaaaaa-0000-4000-8000-00000000000f" },
      { reason: "IMAGE_NOT_FOUND" },
    ],
    [
      "another project's image",
      { id: RESCUE, visibility: "private", owner: "p2" },
      { reason: "IMAGE_NOT_FOUND" },
    ],
    [
      "a snapshot of volumes",
      { id: RESCUE, properties: { img_block_device_mapping: '[{"source_type": "snapshot"}]' } },
      { reason: "IMAGE_UNACCEPTABLE", message: `Requested rescue image '${RESCUE}' is not supported` },
    ],
    [
      "an image that is not active",
      { id: RESCUE, status: "queued" },
      { reason: "IMAGE_NOT_ACTIVE", message: `Image ${RESCUE} is not active.` },
    ],
    [
      "an image with properties that mean nothing",
      { id: RESCUE, properties: { hw_rescue_device: "tape" } },
      { reason: "BAD_IMAGE_PROPERTIES" },
    ],
  ];
  for (const [what, image, expected] of refusals) {
    it(`refuses ${what}, and names the field`, async () => {
      const api = bench();
      const { id: imageId } = anImage(image);
      if (imageId === RESCUE) api.images.set(RESCUE, anImage(image));
      const refused = await rescue(api, { imageId }).then(
        () => assert.fail("accepted"),
        (error: unknown) => error,
      );
      assert.ok(refused instanceof KilonovaError);
      const { reason, kind, message, violations } = refused;
      assert.deepEqual([reason, kind, violations[0]?.field], [expected.reason, "invalid", "image_id"]);
      assert.equal(message, expected.message ?? message);
      assert.equal(api.cells.requests.get("acceptOperation"), undefined);
    });
  }

  it("refuses servers without an image in Nova's words", async () => {
    const api = bench({ image: undefined });
    await assert.rejects(rescue(api), {
      reason: "VOLUME_BACKED",
      message: `Instance ${A} cannot be rescued: Cannot rescue a volume-backed instance`,
    });
    for (const properties of [{ hw_rescue_device: "disk" }, { hw_rescue_bus: "virtio" }]) {
      api.images.set(RESCUE, anImage({ id: RESCUE, properties }));
      await assert.rejects(rescue(api, { imageId: RESCUE, volumeBacked: true }), {
        message: `Instance ${A} cannot be rescued: Cannot rescue a volume-backed instance`,
      });
    }
    api.images.set(
      RESCUE,
      anImage({ id: RESCUE, properties: { hw_rescue_device: "disk", hw_rescue_bus: "virtio" } }),
    );
    await assert.rejects(rescue(api, { imageId: RESCUE }), {
      message: `Instance ${A} cannot be rescued: Cannot rescue a volume-backed instance`,
    });
    await assert.rejects(rescue(api, { imageId: RESCUE, volumeBacked: true }), {
      message: `Instance ${A} cannot be rescued: Host unable to rescue a volume-backed instance`,
    });
  });

  const STABLE = { hw_rescue_device: "disk", hw_rescue_bus: "virtio" };
  const able = ComputeNode.fromPartial({
    id: "n1",
    host: "h1",
    capabilities: ["rescue"],
    traits: ["COMPUTE_RESCUE_BFV"],
  });

  it("rescues a server without an image on a host that can, from an image that leaves its disks", async () => {
    const api = bench({ image: undefined });
    api.cells.setNodes("cell1", [able]);
    api.images.set(RESCUE, anImage({ id: RESCUE, properties: STABLE }));
    await rescue(api, { imageId: RESCUE, volumeBacked: true });
    assert.equal(accepted(api).input.image?.id, RESCUE);
  });

  it("refuses any server whose volumes are not all in use, in Nova's words", async () => {
    const api = bench();
    const volume = api.cinder.addVolume({ status: "detaching" });
    api.cells.put("cell1", {
      id: A,
      hostInfo: ServerHostInfo.fromPartial({ host: "h1", node: "n1", instanceName: "instance-1" }),
      image: ServerImage.fromPartial({ id: OWN }),
      launchedAt: { seconds: 1n, nanos: 0 },
      volumes: [{ id: volume.id, deleteOnTermination: false }],
    });
    await assert.rejects(rescue(api), {
      reason: "VOLUME_NOT_IN_USE",
      kind: "refused",
      message: `Invalid volume: volume '${volume.id}' status must be 'in-use'. Currently in 'detaching' status`,
    });
    api.cinder.setVolume(volume.id, { status: "in-use" });
    await rescue(api);
    assert.equal(accepted(api).input.image?.id, OWN);
  });

  it("names what of the request has the wrong form", async () => {
    const long = { imageId: "cirros", adminPassword: "p".repeat(256) };
    await assert.rejects(rescue(bench(), long), (error: { violations?: readonly { field: string }[] }) => {
      assert.deepEqual(
        error.violations?.map(({ field }) => field),
        ["image_id", "admin_password"],
      );
      return true;
    });
  });
});
