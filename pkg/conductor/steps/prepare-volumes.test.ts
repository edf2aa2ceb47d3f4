import assert from "node:assert/strict";
import {
  BlockDeviceDestination,
  BlockDeviceRecord,
  BlockDeviceSource,
} from "../../../gen/kilonova/cells/v1/server_records.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { CinderErrors } from "../../clients/cinder/errors.js";
import type { VolumeCaller } from "../../clients/cinder/ports.js";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import type { StepResult } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { aCall, finished } from "../testing/a-call.js";
import { selectedHosts } from "./destinations.js";
import { prepareVolumes } from "./prepare-volumes.js";

/** One blank volume. */
const records = {
  listBlockDevices: async () => ({
    blockDevices: [
      BlockDeviceRecord.fromPartial({
        id: "d",
        source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK,
        destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
        sizeMib: 1024n,
      }),
    ],
    nextPageToken: "",
  }),
};
const steps = [finished(selectedHosts, { hosts: [] })];

/** A start of the step for a server with one blank volume. @param userToken  "" for none */
async function prepared(
  userToken: string,
  refusal?: Error,
): Promise<{ made: unknown[]; result: StepResult }> {
  const cinder = fakeCinder();
  const made: unknown[] = [];
  const ports = {
    cinder: {
      ...cinder,
      createVolume: async (...[ctx, wish, by]: Parameters<typeof cinder.createVolume>) => {
        made.push(by satisfies VolumeCaller | undefined);
        if (refusal !== undefined) throw refusal;
        return cinder.createVolume(ctx, wish, by);
      },
    },
    records,
  } as unknown as Ports;
  const secrets = Buffer.from(ServerSecrets.encode(ServerSecrets.fromPartial({ userToken })).finish());
  const call = { ...aCall({ steps, firstStart: true }), secrets };
  return { made, result: await prepareVolumes(ports).run(call) };
}

describe("prepare-volumes", () => {
  it("makes volumes with the user's token in the server's project, where there is one", async () => {
    const { projectId } = aCall().server;
    assert.deepEqual((await prepared("token")).made, [{ userToken: "token", projectId }]);
    assert.deepEqual((await prepared("")).made, [{}]);
  });

  it("gives up with a reason of its own when the token has ended for good", async () => {
    const { result } = await prepared("token", CinderErrors.TOKEN_REFUSED({}));
    assert.equal(result.kind === "fail" && result.error.reason, "USER_TOKEN_ENDED");
  });

  it("keeps one volume of two, when the first of two requests comes to something after the second", async () => {
    const cinder = fakeCinder();
    cinder.newOnes = "creating";
    const step = prepareVolumes({ cinder, records } as unknown as Ports);
    assert.equal((await step.run(aCall({ steps, firstStart: true }))).kind, "park");
    const [first] = cinder.volumes.values();
    assert.ok(first);
    const { id: second } = cinder.addVolume({ metadata: first.metadata, status: "creating" });
    cinder.setVolume(first.id, { status: "available" });
    await assert.rejects(step.run(aCall({ steps })), { reason: "UNAVAILABLE" });
    cinder.setVolume(second, { status: "available" });
    assert.equal((await step.run(aCall({ steps }))).kind, "done");
    assert.deepEqual([...cinder.volumes.keys()], [first.id]);
    assert.deepEqual(
      [...cinder.attachments.values()].map(({ volumeId, status }) => [volumeId, status]),
      [[first.id, "reserved"]],
    );
  });
});
