import assert from "node:assert/strict";
import type { VolumeAttachment } from "../../../../gen/kilonova/api/v1/volume_attachments_service.js";
import { Operation, OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { startTestGateway } from "../../testing/test-gateway.js";
import type { Answer, Ask } from "../../testing/test-gateway.js";

const SERVER = "0e44cc9c-e052-415d-afbf-469b0d384170";
const VOLUME = "70a599e0-31e7-49b7-b260-868f441e862b";
const one: VolumeAttachment = {
  volumeId: VOLUME,
  serverId: SERVER,
  device: undefined,
  tag: undefined,
  deleteOnTermination: false,
  attachmentId: "",
  blockDeviceId: "",
};
const path = `/v2.1/servers/${SERVER}/os-volume_attachments`;

/** What an attachment is answered whose operation stands so when the wait is over. */
async function attach(
  operation: Parameters<typeof Operation.fromPartial>[0],
  ask: Ask = {},
  volumeAttachment: VolumeAttachment = one,
): Promise<Answer> {
  const gateway = await startTestGateway({
    volumeAttachments: {
      attachVolume: async () => ({ operation: Operation.fromPartial(operation), volumeAttachment }),
    },
  });
  const body = { volumeAttachment: { volumeId: VOLUME } };
  const answer = await gateway.ask(path, { method: "POST", body, ...ask });
  await gateway.close();
  return answer;
}
const failed = (reason: string, message = "As said.") => ({
  done: true,
  state: OperationState.OPERATION_STATE_FAILED,
  error: { reason, domain: "conductor", message },
});

describe("POST os-volume_attachments", () => {
  const cases: readonly [reason: string, status: number][] = [
    ["VOLUME_NOT_AVAILABLE", 400],
    ["VOLUME_ALREADY_ATTACHED", 400],
    ["DEVICE_IN_USE", 409],
    ["INVALID_STATE", 409],
    ["INSTANCE_LOCKED", 409],
    ["TOO_MANY_VOLUMES", 403],
    ["VOLUME_NOT_FOUND", 404],
    ["OPERATION_CANCELLED", 409],
    ["BLOCK_STORAGE_FORBIDDEN", 403],
    ["STEP_DEADLINE", 504],
  ];
  for (const [reason, status] of cases)
    it(`answers ${status} when the volume was not reserved: ${reason}`, async () => {
      const answer = await attach(failed(reason));
      assert.equal(answer.status, status);
      assert.match(answer.text, /As said/);
    });

  for (const reason of ["INTERNAL", "UNEXPECTED_ANSWER"])
    it(`answers 500 when Block Storage has failed to reserve it: ${reason}`, async () => {
      const steps = ["choose-device", "reserve-volume"].map((name) => ({ name }));
      assert.equal((await attach({ ...failed(reason), steps })).status, 500);
    });

  it("does not tell what came after the reservation: Nova has answered by then", async () => {
    const steps = ["choose-device", "reserve-volume", "connect-volume"].map((name) => ({ name }));
    const { status, json } = await attach({ ...failed("HYPERVISOR_FAILED", "secret"), steps });
    assert.deepEqual(
      [status, json],
      [200, { volumeAttachment: { id: VOLUME, volumeId: VOLUME, serverId: SERVER, device: null } }],
    );
  });

  it("shows the device, and from 2.70 and 2.79 what else was asked for", async () => {
    const asked = { ...one, device: "/dev/vdb", tag: "data" };
    const shown = async (version: string): Promise<unknown> =>
      ((await attach({ done: false }, { version }, asked)).json as { volumeAttachment: unknown })
        .volumeAttachment;
    const old = { id: VOLUME, volumeId: VOLUME, serverId: SERVER, device: "/dev/vdb" };
    assert.deepEqual(await shown("2.69"), old);
    assert.deepEqual(await shown("2.70"), { ...old, tag: "data" });
    assert.deepEqual(await shown("2.100"), { ...old, tag: "data", delete_on_termination: false });
  });

  it("has no body from 2.101 on", async () => {
    const { status, text } = await attach({ done: false }, { version: "2.101" });
    assert.deepEqual([status, text], [202, ""]);
  });

  it("refuses what is no device, what a version does not know, and what is missing", async () => {
    const bad = async (volumeAttachment: object, version?: string): Promise<number> =>
      (await attach({}, { body: { volumeAttachment }, ...(version === undefined ? {} : { version }) }))
        .status;
    assert.equal(await bad({ volumeId: VOLUME, device: "vdb" }), 400);
    assert.equal(await bad({ volumeId: "x" }), 400);
    assert.equal(await bad({}), 400);
    assert.equal(await bad({ volumeId: VOLUME, tag: "t" }, "2.48"), 400);
    assert.equal(await bad({ volumeId: VOLUME, tag: "a,b" }, "2.49"), 400);
    assert.equal(await bad({ volumeId: VOLUME, delete_on_termination: true }, "2.78"), 400);
    assert.equal(await bad({ volumeId: VOLUME, delete_on_termination: 2 }, "2.79"), 400);
  });
});

describe("GET os-volume_attachments", () => {
  const other = { ...one, attachmentId: "a", blockDeviceId: "b", device: "/dev/vdb" };
  async function list(query: string, version: string): Promise<Answer> {
    const gateway = await startTestGateway({
      volumeAttachments: {
        listVolumeAttachments: async () => ({ volumeAttachments: [one, other], nextPageToken: "" }),
      },
    });
    const answer = await gateway.ask(`${path}${query}`, { version });
    await gateway.close();
    return answer;
  }
  const devices = ({ json }: Answer): unknown =>
    (json as { volumeAttachments: { device?: string }[] }).volumeAttachments.map(({ device }) => device);

  it("names no device that is not chosen yet, and from 2.89 only what has an attachment", async () => {
    assert.deepEqual(devices(await list("", "2.88")), [undefined, "/dev/vdb"]);
    const { json } = await list("", "2.89");
    assert.deepEqual(json, {
      volumeAttachments: [
        {
          volumeId: VOLUME,
          serverId: SERVER,
          device: "/dev/vdb",
          tag: null,
          delete_on_termination: false,
          attachment_id: "a",
          bdm_uuid: "b",
        },
      ],
    });
  });

  it("passes over and cuts off; a limit of 0 is none", async () => {
    assert.deepEqual(devices(await list("?offset=1", "2.1")), ["/dev/vdb"]);
    assert.deepEqual(devices(await list("?limit=1", "2.1")), [undefined]);
    assert.deepEqual(devices(await list("?limit=0", "2.1")), [undefined, "/dev/vdb"]);
    assert.equal((await list("?limit=-1", "2.1")).status, 400);
    assert.equal((await list("?x=1", "2.74")).status, 200);
    assert.equal((await list("?x=1", "2.75")).status, 400);
  });
});
