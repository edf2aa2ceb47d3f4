import assert from "node:assert/strict";
import { ApiErrors, CreateErrors, MoveErrors } from "../../../../api/errors.js";
import { startTestGateway } from "../../../testing/test-gateway.js";
import type { TestGateway } from "../../../testing/test-gateway.js";

const OF_ALL = ["2.1", "2.55", "2.56", "2.104"];
/** From here on a host can be asked for. */
const TO_HOSTS = "2.56";

describe("gateway: resize and migrate", () => {
  let gateway: TestGateway;
  /** What `api` says to the next call; nothing is a yes. */
  let refusal: Error | undefined;
  const judged = async () => {
    if (refusal !== undefined) throw refusal;
    return { operation: undefined };
  };
  before(async () => {
    gateway = await startTestGateway({
      servers: {
        resizeServer: judged,
        confirmServerResize: judged,
        revertServerResize: judged,
        migrateServer: judged,
      },
    });
  });
  after(() => gateway.close());
  beforeEach(() => {
    refusal = undefined;
    gateway.calls.splice(0);
  });

  const ask = async (body: object, version = "2.1", path = "servers") => {
    const answer = await gateway.ask(`/v2.1/${path}/x/action`, {
      method: "POST",
      token: "member",
      version,
      body,
    });
    return [answer.status, answer.text] as const;
  };

  it("answers nothing in every version: 204 to a confirmation, 202 to the others", async () => {
    for (const version of OF_ALL) {
      assert.deepEqual(await ask({ resize: { flavorRef: "2" } }, version), [202, ""]);
      assert.deepEqual(await ask({ migrate: null }, version), [202, ""]);
      assert.deepEqual(await ask({ confirmResize: null }, version), [204, ""]);
      assert.deepEqual(await ask({ revertResize: null }, version), [202, ""]);
    }
  });

  it("answers the same under the older path, where there is no migration", async () => {
    assert.deepEqual(await ask({ resize: { flavorRef: "2" } }, "2.102", "os-volumes_boot"), [202, ""]);
    assert.deepEqual(await ask({ confirmResize: null }, "2.102", "os-volumes_boot"), [204, ""]);
    assert.deepEqual(await ask({ revertResize: null }, "2.102", "os-volumes_boot"), [202, ""]);
    assert.equal((await ask({ migrate: null }, "2.102", "os-volumes_boot"))[0], 400);
  });

  const badResizes: readonly unknown[] = [
    null,
    {},
    "m1.tiny",
    { flavorRef: "" },
    { flavorRef: null },
    { flavorRef: ["2"] },
    { flavorRef: "2", "OS-DCF:diskConfig": "auto" },
    { flavorRef: "2", "OS-DCF:diskConfig": null },
    { flavorRef: "2", diskConfig: "AUTO" },
    { flavorRef: "2", accessIPv4: "192.0.2.1" },
  ];
  for (const body of badResizes)
    it(`refuses resize ${JSON.stringify(body)}`, async () => {
      assert.equal((await ask({ resize: body }))[0], 400);
      assert.deepEqual(gateway.calls, []);
    });

  /** Bodies of migrate, and the versions that take them. */
  const migrations: readonly (readonly [unknown, readonly string[]])[] = [
    [null, OF_ALL],
    [{}, OF_ALL],
    [{ host: "h1.example" }, OF_ALL],
    [{ host: null }, OF_ALL],
    [{ host: "" }, ["2.1", "2.55"]],
    [{ host: "h 1" }, ["2.1", "2.55"]],
    [{ host: "h1", force: true }, ["2.1", "2.55"]],
    ["now", ["2.1", "2.55"]],
    [[], ["2.1", "2.55"]],
  ];
  for (const [value, taken] of migrations)
    it(`takes migrate ${JSON.stringify(value)} in ${taken.join(", ")}`, async () => {
      for (const version of OF_ALL) {
        const [status] = await ask({ migrate: value }, version);
        assert.equal(status, taken.includes(version) ? 202 : 400, version);
      }
    });

  it("takes any value of confirmResize and revertResize", async () => {
    for (const value of [null, {}, "now", [1]]) {
      assert.equal((await ask({ confirmResize: value }))[0], 204);
      assert.equal((await ask({ revertResize: value }))[0], 202);
    }
  });

  const RESIZE = { resize: { flavorRef: "2" } };
  const inState = (method: string) =>
    ApiErrors.INVALID_STATE({ server: "x", method, attr: "vm_state", state: "paused" });
  /** What is refused, with Nova's code and words. */
  const refusals: readonly (readonly [Error, object, number, string])[] = [
    [MoveErrors.SAME_FLAVOR({}), RESIZE, 400, "When resizing, instances must change flavor!"],
    [CreateErrors.FLAVOR_NOT_FOUND({ flavor: "2" }), RESIZE, 400, "Flavor 2 could not be found."],
    [
      MoveErrors.ZERO_DISK_FLAVOR({}),
      RESIZE,
      400,
      "Server disk was unable to be resized because: Resize to zero disk flavor is not allowed.",
    ],
    [
      CreateErrors.ZERO_DISK_FLAVOR({}),
      RESIZE,
      403,
      "Only volume-backed servers are allowed for flavors with zero disk.",
    ],
    [
      MoveErrors.DISK_CANNOT_SHRINK({ disk: "root", fromGib: 2, toGib: 1 }),
      RESIZE,
      400,
      "Server disk was unable to be resized because: the root disk has 2 GiB and cannot shrink to 1 GiB.",
    ],
    [
      CreateErrors.FLAVOR_MEMORY_TOO_SMALL({}),
      RESIZE,
      400,
      "Flavor's memory is too small for requested image.",
    ],
    [MoveErrors.HOST_DOWN({}), RESIZE, 409, "Service is unavailable at this time."],
    [ApiErrors.INSTANCE_LOCKED({ server: "x" }), RESIZE, 409, "Instance x is locked"],
    [ApiErrors.NOT_READY({ server: "x" }), RESIZE, 409, "Instance x is not ready"],
    [inState("resize"), RESIZE, 409, "Cannot 'resize' instance x while it is in vm_state paused"],
    [
      inState("migrate"),
      { migrate: null },
      409,
      "Cannot 'migrate' instance x while it is in vm_state paused",
    ],
    [
      inState("confirmResize"),
      { confirmResize: null },
      409,
      "Cannot 'confirmResize' instance x while it is in vm_state paused",
    ],
    [
      inState("revertResize"),
      { revertResize: null },
      409,
      "Cannot 'revertResize' instance x while it is in vm_state paused",
    ],
    [MoveErrors.MIGRATION_NOT_FOUND({}), { confirmResize: null }, 400, "Instance has not been resized."],
    [MoveErrors.MIGRATION_NOT_FOUND({}), { revertResize: null }, 400, "Instance has not been resized."],
    [MoveErrors.HOST_DOWN({}), { confirmResize: null }, 409, "Service is unavailable at this time."],
    [
      MoveErrors.SAME_HOST({}),
      { migrate: { host: "h1" } },
      400,
      "Cannot migrate to the host where the server exists.",
    ],
    [
      CreateErrors.HOST_NOT_FOUND({ host: "h9" }),
      { migrate: { host: "h9" } },
      400,
      "Compute host h9 could not be found.",
    ],
  ];
  for (const [error, body, code, message] of refusals)
    it(`answers ${code} to ${JSON.stringify(body)}: ${message}`, async () => {
      refusal = error;
      const [status, text] = await ask(body, TO_HOSTS);
      assert.equal(status, code);
      const [fault] = Object.values(JSON.parse(text) as Readonly<Record<string, unknown>>);
      assert.deepEqual(fault, { code, message });
    });
});
