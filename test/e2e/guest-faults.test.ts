import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { ComputeRest } from "./support/compute-rest.js";
import { getJson, tokenOf } from "./support/identity.js";
import { filesNaming, qemuProcesses } from "./support/traces.js";

const PORT_OFFSET = 18_000;
const STOPPED = 4;

/** What guests do without anyone asking, on a real QEMU host. */
describe("guests that end by themselves, and a host that dies under them", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let rest: ComputeRest;
  let imageRef = "";
  let flavorRef = "";

  const start = async (
    options: { readonly home?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<void> => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "1"], ...options });
    rest = new ComputeRest(cloud, await tokenOf(cloud, "demo"));
  };
  const create = async (name: string, userData = ""): Promise<string> => {
    const { status, body } = await rest.create({
      name,
      imageRef,
      flavorRef,
      ...(userData ? { user_data: Buffer.from(userData).toString("base64") } : {}),
    });
    assert.equal(status, 202, JSON.stringify(body));
    return String(body["server"]?.["id"]);
  };
  const powerState = (server: Record<string, unknown>): unknown => server["OS-EXT-STS:power_state"];
  const processOf = (id: string): number => {
    const [pid, ...more] = qemuProcesses(id);
    assert.ok(pid !== undefined && more.length === 0, `${id} must have one process`);
    return pid;
  };
  const end = async (id: string): Promise<void> => {
    process.kill(processOf(id), "SIGKILL");
    await until(() => qemuProcesses(id).length === 0, { timeoutMs: 60_000, what: "the process to be gone" });
  };

  before(async () => {
    await start();
    const token = await tokenOf(cloud, "demo");
    imageRef =
      (await getJson<{ images: { id: string }[] }>(`http://127.0.0.1:${cloud.port(9292)}/v2/images`, token))
        .images[0]?.id ?? "";
    const { flavors } = await getJson<{ flavors: { id: string; name: string }[] }>(
      `http://127.0.0.1:${cloud.port(8774)}/v2.1/flavors`,
      token,
    );
    flavorRef = flavors.find(({ name }) => name === "m1.nano")?.id ?? "";
  });
  after(async () => {
    if (!cloud) return;
    await rest.deleteAll().catch(() => {});
    await cloud.stop();
    cloud.forget();
  });

  it("shows a guest that powered itself off as SHUTOFF, with an action of nobody", async () => {
    const id = await create("sleepy", "#!/bin/sh\npoweroff -f\n");
    const server = await rest.reaches(id, "SHUTOFF");
    assert.equal(powerState(server), STOPPED);
    const actions = (await rest.call("GET", `/servers/${id}/os-instance-actions`)).body[
      "instanceActions"
    ] as unknown as { action: string; user_id: unknown }[];
    assert.deepEqual(
      actions.map(({ action }) => action),
      ["stop", "create"],
    );
    await until(() => qemuProcesses(id).length === 0, { timeoutMs: 60_000, what: "the process to be gone" });
    assert.equal((await rest.call("DELETE", `/servers/${id}`)).status, 204);
  });

  describe("with a guest that runs", () => {
    let id: string;

    before(async () => {
      id = await create("steady");
      await rest.reaches(id, "ACTIVE");
    });

    it("shows it as SHUTOFF when its process is killed, and starts it again", async () => {
      await end(id);
      assert.equal(powerState(await rest.reaches(id, "SHUTOFF")), STOPPED);
      assert.equal((await rest.act(id, "os-start")).status, 202);
      await rest.reaches(id, "ACTIVE");
    });

    it("keeps its process while the cloud is killed and started", async () => {
      const pid = processOf(id);
      await cloud.kill();
      await start({ home: cloud.home });
      assert.equal(processOf(id), pid);
      await rest.reaches(id, "ACTIVE");
    });

    it("shows it as SHUTOFF when everything was killed", async () => {
      await cloud.kill();
      await end(id);
      await start({ home: cloud.home });
      assert.equal(powerState(await rest.reaches(id, "SHUTOFF")), STOPPED);
      assert.equal((await rest.act(id, "os-start")).status, 202);
      await rest.reaches(id, "ACTIVE");
    });

    it("powers it on when everything was killed and the operator wants that", async () => {
      const pid = processOf(id);
      await cloud.kill();
      await end(id);
      await start({ home: cloud.home, env: { KILONOVA_COMPUTE_RESUME_GUESTS_STATE_ON_HOST_BOOT: "true" } });
      // The record says ACTIVE all the time.
      await until(() => qemuProcesses(id).length > 0, { timeoutMs: 240_000, what: "the guest to run again" });
      await rest.reaches(id, "ACTIVE");
      assert.notEqual(processOf(id), pid);
    });

    it("shows a paused one as SHUTOFF when its process is killed", async () => {
      assert.equal((await rest.act(id, "pause")).status, 202);
      await rest.reaches(id, "PAUSED");
      await end(id);
      assert.equal(powerState(await rest.reaches(id, "SHUTOFF")), STOPPED);
      assert.equal((await rest.act(id, "os-start")).status, 202);
      await rest.reaches(id, "ACTIVE");
    });

    it("runs on when its base image is removed from the cache, which is fetched again for its next start", async () => {
      const [host = ""] = readdirSync(join(cloud.home, "hosts"));
      const cache = join(cloud.home, "hosts", host, "images");
      const bases = (): string[] => readdirSync(cache).filter((file) => file.endsWith(".raw"));
      const hashes = (): string[] =>
        bases().map((file) =>
          createHash("sha256")
            .update(readFileSync(join(cache, file)))
            .digest("hex"),
        );
      const [before, data, pid] = [bases(), hashes(), processOf(id)];
      assert.ok(before.length > 0);
      for (const file of before) rmSync(join(cache, file));
      assert.equal((await rest.act(id, "reboot", { type: "HARD" })).status, 202);
      await until(() => qemuProcesses(id).some((one) => one !== pid), {
        timeoutMs: 240_000,
        what: "another process",
      });
      await rest.reaches(id, "ACTIVE");
      assert.deepEqual([bases(), hashes()], [before, data]);
      assert.equal((await rest.act(id, "os-stop")).status, 202);
      await rest.reaches(id, "SHUTOFF");
      for (const file of before) rmSync(join(cache, file));
      assert.equal((await rest.act(id, "os-start")).status, 202);
      await rest.reaches(id, "ACTIVE");
      assert.deepEqual(hashes(), data);
    });

    it("shows it as ERROR, and why, when it cannot be powered on; a hard reboot tries again", async () => {
      await cloud.kill();
      await end(id);
      const [folder] = filesNaming(cloud.home, id);
      renameSync(`${folder}/disk`, `${folder}/disk.away`);
      await start({ home: cloud.home, env: { KILONOVA_COMPUTE_RESUME_GUESTS_STATE_ON_HOST_BOOT: "true" } });
      const server = await rest.reaches(id, "ERROR");
      const { code, message, details } = server["fault"] as {
        code: number;
        message: string;
        details?: string;
      };
      assert.deepEqual([code, details], [500, undefined], "details are the administrator's");
      assert.ok(message !== "" && !message.includes(cloud.home), message);
      renameSync(`${folder}/disk.away`, `${folder}/disk`);
      assert.equal((await rest.act(id, "reboot", { type: "HARD" })).status, 202);
      await rest.reaches(id, "ACTIVE");
    });
  });
});
