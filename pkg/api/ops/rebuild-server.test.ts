import assert from "node:assert/strict";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { RebuildInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { ComputeNode } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { DiskConfig, ServerHostInfo, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { ImageInfo } from "../../clients/glance/ports.js";
import { KilonovaError } from "../../kernel/index.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, aFlavor, anApi, anImage, as, member, stranger } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-00000000000a";
const ROOT = "22222222-2222-4222-8222-222222222222";
const at = (seconds: number): { seconds: bigint; nanos: number } => ({ seconds: BigInt(seconds), nanos: 0 });
const servers = (api: TestApi) => api.channel.client(ServersServiceDefinition);

/** A server of the member on a host that can rebuild, and two images. */
function ready(init: object = {}): TestApi {
  const api = anApi();
  api.images.set(anImage().id, anImage());
  api.images.set(OTHER, anImage({ id: OTHER, properties: { os_type: "linux" } }));
  api.cells.setNodes("cell1", [ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities: ["rebuild"] })]);
  api.cells.put("cell1", {
    id: A,
    name: "vm",
    projectId: "p1",
    userId: "u1",
    vmState: VmState.VM_STATE_ACTIVE,
    launchedAt: at(1),
    flavor: aFlavor(),
    image: { id: anImage().id, properties: new Map() },
    hostInfo: ServerHostInfo.fromPartial({ host: "h1", node: "n1" }),
    userData: Buffer.from("old").toString("base64"),
    metadata: new Map([["k", "old"]]),
    diskConfig: DiskConfig.DISK_CONFIG_MANUAL,
    ...init,
  });
  return api;
}

type Ask = Partial<Parameters<ReturnType<typeof servers>["rebuildServer"]>[1]>;
const rebuild = (api: TestApi, ask: Ask = {}, actor = member) =>
  servers(api).rebuildServer(as(actor), { serverId: A, imageId: OTHER, ...ask });
const refusal = async (promise: Promise<unknown>): Promise<KilonovaError> => {
  const error = await promise.then(
    () => assert.fail("was accepted"),
    (reason: unknown) => reason,
  );
  return error instanceof KilonovaError ? error : assert.fail(String(error));
};
const accepted = (api: TestApi): { input: RebuildInput; secrets: ServerSecrets } => {
  const { input, secrets } = api.cells.requests.get("acceptOperation") as AcceptOperationRequest;
  return { input: RebuildInput.decode(input), secrets: ServerSecrets.decode(secrets) };
};

describe("rebuildServer", () => {
  it("answers the server as it will be, and begins with nothing changed", async () => {
    const api = ready();
    const { operation, server, adminPassword, hiddenFields } = await rebuild(api, {
      adminPassword: "p",
      server: {
        name: "new",
        description: undefined,
        hostname: "h",
        metadata: new Map([["k", "new"]]),
        userData: Buffer.from("new"),
        accessIpV6: "2001:DB8::1",
        diskConfig: DiskConfig.DISK_CONFIG_AUTO,
      },
      updateMask: ["name", "description", "hostname", "metadata", "user_data", "access_ip_v6", "disk_config"],
    });
    assert.equal(operation?.kind, "server.rebuild");
    assert.deepEqual(
      [server?.name, server?.image?.id, server?.taskState, server?.hostname, server?.accessIpV6],
      ["new", OTHER, "rebuilding", "h", "2001:db8::1"],
    );
    assert.deepEqual([...(server?.metadata ?? [])], [["k", "new"]]);
    assert.deepEqual([server?.userData?.toString(), server?.description], ["new", undefined]);
    assert.equal(server?.diskConfig, DiskConfig.DISK_CONFIG_AUTO);
    assert.equal(adminPassword, "p");
    assert.equal(hiddenFields.includes("user_data"), false);
    const { server: stored } = await servers(api).getServer(as(member), { serverId: A });
    assert.deepEqual([stored?.name, stored?.image?.id], ["vm", anImage().id]);
    assert.deepEqual([...(stored?.metadata ?? [])], [["k", "old"]]);
  });

  it("keeps what is not in the mask, also the user data, which the new guest gets again", async () => {
    const api = ready();
    const { server, adminPassword } = await rebuild(api);
    assert.deepEqual([server?.name, server?.userData?.toString()], ["vm", "old"]);
    const { input, secrets } = accepted(api);
    assert.deepEqual(input.serverMask, ["image", "disk_config", "config_drive"]);
    assert.deepEqual(
      [input.newUserData, Buffer.from(secrets.userData, "base64").toString(), input.otherImage],
      [false, "old", true],
    );
    assert.match(adminPassword ?? "", /^\w{12}$/);
    assert.equal(secrets.adminPassword, adminPassword);
  });

  it("takes away what is in the mask and unset", async () => {
    const api = ready({ keyName: "k", trustedImageCertificates: ["c"] });
    const { server } = await rebuild(api, {
      server: {},
      updateMask: ["user_data", "key_name", "metadata", "trusted_image_certificates", "description"],
    });
    assert.deepEqual(
      [server?.userData, server?.keyName, server?.metadata.size, server?.trustedImageCertificates],
      [undefined, undefined, 0, []],
    );
    const { input, secrets } = accepted(api);
    assert.deepEqual([input.newUserData, secrets.userData, input.spec?.publicKey], [true, "", ""]);
    assert.ok(input.specMask?.includes("public_key"));
  });

  it("knows an image that is the same", async () => {
    const api = ready();
    await rebuild(api, { imageId: anImage().id });
    assert.equal(accepted(api).input.otherImage, false);
  });

  it("tells the password once: a repeated call answers the same operation without it", async () => {
    const api = ready();
    const first = await rebuild(api, { clientToken: "t" });
    const again = await rebuild(api, { clientToken: "t" });
    assert.deepEqual([again.operation?.name, again.adminPassword], [first.operation?.name, undefined]);
    assert.equal(
      (await refusal(rebuild(api, { clientToken: "t", preserveEphemeral: true }))).reason,
      "TOKEN_REUSED",
    );
  });

  it("knows a repeated call whose metadata comes in another order, and shows the server as it is by then", async () => {
    const api = ready();
    const ask = (...keys: string[]): Ask => ({
      clientToken: "t",
      server: {
        metadata: new Map(keys.map((key) => [key, "v"])),
        userData: Buffer.from("new"),
        name: "anew",
      },
      updateMask: ["metadata", "user_data", "name"],
    });
    const first = await rebuild(api, ask("a", "b"));
    const again = await rebuild(api, ask("b", "a"));
    assert.equal(again.operation?.name, first.operation?.name);
    assert.deepEqual(
      [first, again].map(({ server }) => [server?.name, server?.userData?.toString()]),
      [
        ["anew", "new"],
        ["vm", "old"],
      ],
    );
  });

  it("answers a repeated call also when its image is gone by then, or the server", async () => {
    const api = ready();
    const first = await rebuild(api, { clientToken: "t" });
    api.images.delete(OTHER);
    assert.equal((await rebuild(api, { clientToken: "t" })).operation?.name, first.operation?.name);
    assert.equal((await refusal(rebuild(api, { clientToken: "another" }))).reason, "INVALID_STATE");
    const server = api.cells.record("cell1", A)?.server;
    api.cells.put("cell1", { ...server, id: A, vmState: VmState.VM_STATE_DELETED, deletedAt: at(9) });
    const last = await rebuild(api, { clientToken: "t" });
    assert.deepEqual([last.operation?.name, last.server?.id], [first.operation?.name, A]);
    assert.equal((await refusal(rebuild(api, { clientToken: "another" }))).reason, "SERVER_NOT_FOUND");
  });

  const refused: readonly [string, Partial<ImageInfo> | undefined, Ask, string, string][] = [
    ["an image that is nowhere", undefined, {}, "IMAGE_NOT_FOUND", "image_id"],
    ["an image that has no data", { status: "queued" }, {}, "IMAGE_NOT_ACTIVE", "image_id"],
    ["an image for more memory", { minRamMib: 4096 }, {}, "FLAVOR_MEMORY_TOO_SMALL", "image_id"],
    [
      "an image larger than the disk",
      { sizeBytes: 2 ** 40 },
      {},
      "FLAVOR_DISK_SMALLER_THAN_IMAGE",
      "image_id",
    ],
    ["an image for a larger disk", { minDiskGib: 9 }, {}, "FLAVOR_DISK_SMALLER_THAN_MIN_DISK", "image_id"],
    [
      "a resize that the image forbids",
      { properties: { hw_auto_disk_config: "disabled" } },
      { server: { diskConfig: DiskConfig.DISK_CONFIG_AUTO }, updateMask: ["disk_config"] },
      "DISK_CONFIG_DISABLED",
      "server.disk_config",
    ],
    [
      "a key pair that is nobody's",
      {},
      { server: { keyName: "none" }, updateMask: ["key_name"] },
      "KEY_PAIR_NOT_FOUND",
      "server.key_name",
    ],
    ["a name of nothing", {}, { server: {}, updateMask: ["name"] }, "INVALID_REQUEST", "server.name"],
    ["no host name", {}, { server: {}, updateMask: ["hostname"] }, "INVALID_REQUEST", "server.hostname"],
    ["what cannot be changed", {}, { updateMask: ["tags"] }, "INVALID_REQUEST", "update_mask"],
    ["an id that is none", {}, { imageId: "x" }, "INVALID_REQUEST", "image_id"],
  ];
  for (const [what, image, ask, reason, field] of refused)
    it(`refuses ${what}, and names the field`, async () => {
      const api = ready();
      if (image === undefined) api.images.delete(OTHER);
      else api.images.set(OTHER, anImage({ id: OTHER, ...image }));
      const error = await refusal(rebuild(api, ask));
      assert.deepEqual([error.reason, error.violations.map((one) => one.field)], [reason, [field]]);
    });

  it("says in Nova's words that it found no image", async () => {
    const api = ready();
    api.images.delete(OTHER);
    assert.equal((await refusal(rebuild(api))).message, "Cannot find image for rebuild");
  });

  it("refuses more metadata and files than the quota has", async () => {
    const api = ready();
    const metadata = new Map(Array.from({ length: 129 }, (_, n) => [`k${n}`, "v"]));
    assert.equal(
      (await refusal(rebuild(api, { server: { metadata }, updateMask: ["metadata"] }))).reason,
      "TOO_MANY_METADATA_ITEMS",
    );
    const files = Array.from({ length: 6 }, (_, n) => ({ path: `/f${n}`, contents: Buffer.from("x") }));
    assert.equal((await refusal(rebuild(api, { files }))).reason, "TOO_MANY_FILES");
  });

  it("refuses a flavor without a disk to who may not use an image with it", async () => {
    const flavor = aFlavor({ rootGib: 0 });
    const { reason, kind } = await refusal(rebuild(ready({ flavor })));
    assert.deepEqual([reason, kind], ["ZERO_DISK_FLAVOR", "forbidden"]);
    await rebuild(ready({ flavor }), {}, administrator);
  });

  it("refuses a server that boots from a volume", async () => {
    const error = await refusal(rebuild(ready({ image: undefined })));
    assert.equal(error.reason, "IMAGE_UNACCEPTABLE");
    assert.match(error.message, /Unable to rebuild with a different image for a volume-backed server/);
  });

  it("keeps how much memory the image needs that is written over a root volume", async () => {
    for (const minRamMib of [0, 300]) {
      const api = ready({ image: undefined, volumes: [{ id: ROOT, deleteOnTermination: false }] });
      api.images.set(OTHER, anImage({ id: OTHER, minRamMib }));
      api.cells.putDevices("cell1", A, [{ id: "d1", volumeId: ROOT, bootIndex: 0, attachmentId: "at" }]);
      const use = { attachmentId: "at", serverId: A, device: "", hostName: "h1" };
      api.cinder.addVolume({ id: ROOT, projectId: "p1", status: "in-use", sizeGib: 10, attachments: [use] });
      await rebuild(api, { reimageRootVolume: true });
      const { spec, specMask } = accepted(api).input;
      assert.equal(spec?.volumeImageMinMemoryMib, minRamMib);
      // Builds that do not know it refuse its name.
      assert.equal(specMask?.includes("volume_image_min_memory_mib"), minRamMib > 0);
    }
  });

  it("refuses to write over a root volume that was never made, once it is clear that the server ran", async () => {
    const again = { reimageRootVolume: true };
    const error = await refusal(rebuild(ready({ image: undefined }), again));
    assert.deepEqual([error.reason, error.kind], ["ROOT_VOLUME_UNKNOWN", "refused"]);
    const never = { image: undefined, vmState: VmState.VM_STATE_ERROR, launchedAt: undefined };
    assert.equal((await refusal(rebuild(ready(never), again))).reason, "INVALID_STATE");
  });

  for (const [what, init, reason, text] of [
    [
      "is paused",
      { vmState: VmState.VM_STATE_PAUSED },
      "INVALID_STATE",
      /Cannot 'rebuild' instance .* vm_state paused/,
    ],
    ["is being changed", { taskState: "rebooting" }, "INVALID_STATE", /task_state rebooting/],
    ["never ran", { vmState: VmState.VM_STATE_ERROR, launchedAt: undefined }, "INVALID_STATE", /rebuild/],
    ["is locked", { lock: { lockedBy: "owner", reason: "" } }, "INSTANCE_LOCKED", /is locked/],
  ] as const)
    it(`refuses a server that ${what}`, async () => {
      const error = await refusal(rebuild(ready(init)));
      assert.equal(error.reason, reason);
      assert.match(error.message, text);
    });

  it("lets an administrator pass the lock, and does not know other projects' servers", async () => {
    const api = ready({ lock: { lockedBy: "owner", reason: "" } });
    assert.equal((await refusal(rebuild(api, {}, stranger))).reason, "SERVER_NOT_FOUND");
    assert.equal((await rebuild(api, {}, administrator)).operation?.kind, "server.rebuild");
  });

  it("refuses where the host cannot do it", async () => {
    const api = ready();
    api.cells.setNodes("cell1", [ComputeNode.fromPartial({ id: "n1", host: "h1" })]);
    assert.equal((await refusal(rebuild(api))).reason, "CAPABILITY_MISSING");
  });
});
