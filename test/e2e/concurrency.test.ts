import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../pkg/testkit/until.js";
import { Stage } from "./grpc/stage.js";
import { ComputeRest } from "./support/compute-rest.js";
import type { RestAnswer } from "./support/compute-rest.js";
import { call } from "./support/grpc-user.js";
import { getJson } from "./support/identity.js";

const times = <T>(count: number, fn: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => fn(i)));
const idOf = (answer: RestAnswer): string =>
  String(answer.body["server"]?.["id"] ?? assert.fail(JSON.stringify(answer)));

/** Many requests at once, and requests in each other's way, on hosts that only pretend. */
describe("a cloud under concurrent requests", function () {
  this.timeout(600_000);
  const stage = new Stage();
  let rest: ComputeRest;
  let image = "";
  let nano = "";

  const aFlavor = async (name: string, vcpus: number, memoryMib: number): Promise<string> =>
    (
      await stage.admin.flavors.createFlavor(call(), {
        flavor: { name, vcpus, memoryMib, rootGib: 1, isPublic: true },
      })
    ).flavor?.id ?? assert.fail(name);
  const create = (name: string, flavorRef: string, more: object = {}): Promise<RestAnswer> =>
    rest.create({ name, imageRef: image, flavorRef, ...more });
  const heldBy = async (id: string): Promise<unknown> => [
    (
      await getJson<{ allocations: object }>(
        `http://127.0.0.1:${stage.cloud.port(8778)}/allocations/${id}`,
        stage.admin.token,
      )
    ).allocations,
    (
      await getJson<{ ports: object[] }>(
        `http://127.0.0.1:${stage.cloud.port(9696)}/v2.0/ports?device_id=${id}`,
        stage.admin.token,
      )
    ).ports,
  ];
  const assertNothingLeft = async (ids: readonly string[]): Promise<void> => {
    await until(async () => (await rest.serverIds()).length === 0, {
      timeoutMs: 120_000,
      what: "all servers to go",
    });
    for (const id of ids) {
      assert.equal((await rest.call("GET", `/servers/${id}`)).status, 404);
      assert.deepEqual(await heldBy(id), [{}, []]);
    }
    assert.deepEqual(await rest.used(), [0, 0, 0]);
  };
  /** Splits answers to creates; refusals must name the resource as Nova does. */
  const accepted = (answers: readonly RestAnswer[], resource: string): readonly string[] => {
    for (const { status, body } of answers.filter((answer) => answer.status !== 202)) {
      assert.deepEqual([status, body["forbidden"]?.["code"]], [403, 403], JSON.stringify(body));
      assert.match(
        String(body["forbidden"]?.["message"]),
        new RegExp(
          `^Quota exceeded for ${resource}: Requested \\d+, but already used \\d+ of \\d+ ${resource}$`,
        ),
      );
    }
    return answers.filter((answer) => answer.status === 202).map(idOf);
  };

  before(async () => {
    await stage.open();
    rest = new ComputeRest(stage.cloud, stage.demo.token);
    const { imageId, flavorId } = await stage.demo.request("any");
    [image, nano] = [imageId ?? "", flavorId ?? ""];
  });
  after(() => stage.close());
  afterEach(async () => {
    await stage.script();
    await rest.deleteAll();
  });

  describe("at the edge of a quota", () => {
    it("accepts exactly 10 of 20 parallel creates", async () => {
      const ids = accepted(await times(20, (i) => create(`q${i}`, nano)), "instances");
      assert.equal(ids.length, 10);
      assert.deepEqual(await rest.used(), [10, 10, 960]);
      for (const id of ids) await rest.reaches(id, "ACTIVE");
      assert.deepEqual([...(await rest.serverIds())].sort(), [...ids].sort());
      await times(ids.length, (i) => rest.call("DELETE", `/servers/${ids[i]}`));
      await assertNothingLeft(ids);
    });

    for (const { resource, vcpus, memoryMib, fit } of [
      { resource: "cores", vcpus: 4, memoryMib: 96, fit: 5 },
      { resource: "ram", vcpus: 1, memoryMib: 16_384, fit: 3 },
    ]) {
      it(`accepts what fits into the quota of ${resource}`, async () => {
        const flavor = await aFlavor(`edge-${resource}`, vcpus, memoryMib);
        const ids = accepted(await times(9, (i) => create(`${resource}${i}`, flavor)), resource);
        assert.equal(ids.length, fit);
        assert.deepEqual(await rest.used(), [fit, fit * vcpus, fit * memoryMib]);
        await rest.deleteAll();
        await assertNothingLeft(ids);
      });
    }

    it("makes none of several servers when fewer than min_count fit, and as many as fit otherwise", async () => {
      assert.deepEqual(
        accepted([await create("none", nano, { min_count: 11, max_count: 11 })], "instances"),
        [],
      );
      assert.deepEqual(await rest.used(), [0, 0, 0]);
      assert.equal((await create("eight", nano, { min_count: 8, max_count: 8 })).status, 202);
      assert.deepEqual(
        accepted([await create("none", nano, { min_count: 3, max_count: 5 })], "instances"),
        [],
      );
      assert.equal((await rest.serverIds()).length, 8);
      assert.equal((await create("two", nano, { min_count: 1, max_count: 5 })).status, 202);
      assert.deepEqual(await rest.used(), [10, 10, 960]);
    });
  });

  describe("when a boot is disturbed", () => {
    it("leaves nothing of servers that are deleted at any moment of their boot", async () => {
      await stage.script({ method: "define", delayMs: 150 }, { method: "powerOn", delayMs: 150 });
      const ids = await times(10, async (i) => {
        const id = idOf(await create(`d${i}`, nano));
        await delay(i * 60);
        assert.equal((await rest.call("DELETE", `/servers/${id}`)).status, 204);
        return id;
      });
      await assertNothingLeft(ids);
    });

    it("boots with a key pair and a flavor that are deleted meanwhile", async () => {
      await stage.script({ method: "define", delayMs: 2000 });
      const flavor = await aFlavor("short-lived", 1, 96);
      assert.equal(
        (
          await rest.call("POST", "/os-keypairs", {
            keypair: {
              name: "short-lived",
              public_key:
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGfVXGmVYlDGGuIRzbNEMSr0p0AWWmJDmyYVVLtv5jSJ a@b",
            },
          })
        ).status,
        201,
      );
      const id = idOf(await create("keeps-them", flavor, { key_name: "short-lived" }));
      assert.equal((await rest.call("DELETE", "/os-keypairs/short-lived")).status, 204);
      await stage.admin.flavors.deleteFlavor(call(), { flavorId: flavor });
      const server = await rest.reaches(id, "ACTIVE");
      assert.equal(server["key_name"], "short-lived");
    });
  });

  describe("with several actions on one server", () => {
    it("lets one of parallel stops win and refuses the others as Nova does; delete takes over", async () => {
      const id = idOf(await create("wanted", nano));
      await rest.reaches(id, "ACTIVE");
      await stage.script({ method: "powerOff", delayMs: 20_000 });
      const answers = await Promise.all([
        ...Array.from({ length: 6 }, () => rest.act(id, "os-stop")),
        rest.act(id, "os-start"),
      ]);
      assert.equal(answers.filter(({ status }) => status === 202).length, 1);
      for (const { status, body } of answers.filter((answer) => answer.status !== 202)) {
        assert.equal(status, 409);
        assert.match(
          String(body["conflictingRequest"]?.["message"]),
          new RegExp(
            `^Cannot 'st(op|art)' instance ${id} while it is in (task_state powering-off|vm_state active)$`,
          ),
        );
      }
      assert.equal((await rest.act(id, "reboot", { type: "HARD" })).status, 409);
      assert.equal((await rest.call("DELETE", `/servers/${id}`)).status, 204);
      await assertNothingLeft([id]);
    });
  });
});
