import assert from "node:assert/strict";
import { hostname } from "node:os";
import { until } from "../../pkg/testkit/until.js";
import { mapLimit } from "../../pkg/kernel/index.js";
import { Cloud, projectRoot } from "./support/cloud.js";
import { LeakWatch } from "./bad-input/leaks.js";
import { hostileImages } from "./hostile-images/kinds.js";
import type { HostileImage } from "./hostile-images/kinds.js";
import { ToolLog } from "./hostile-images/tool-log.js";
import { getJson, tokenOf } from "./support/identity.js";

interface Server {
  readonly id: string;
  readonly status: string;
  readonly fault?: { readonly code: number; readonly message: string; readonly details?: string };
}

const AT_ONCE = 4;

/**
 * Images of strangers, on a host with the real driver: nothing of QEMU's ever opens one whose file is a
 * weapon, and any may be gone when it is needed.
 */
describe("images of strangers", function () {
  this.timeout(600_000);
  const tools = new ToolLog();
  let cloud: Cloud;
  let token = "";
  let network = "";
  let flavor = "";

  const url = (port: number, path: string): string => `http://127.0.0.1:${cloud.port(port)}${path}`;
  const send = async <T>(
    method: string,
    where: string,
    body: unknown,
    type = "application/json",
  ): Promise<T> => {
    const answer = await fetch(where, {
      method,
      headers: { "x-auth-token": token, "content-type": type },
      body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${where}: ${answer.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  const show = async (id: string): Promise<Server> =>
    (await getJson<{ server: Server }>(url(8774, `/v2.1/servers/${id}`), token)).server;
  const upload = async (name: string, diskFormat: string, bytes: Buffer): Promise<string> => {
    const { id } = await send<{ id: string }>("POST", url(9292, "/v2/images"), {
      name,
      disk_format: diskFormat,
      container_format: "bare",
    });
    await send("PUT", url(9292, `/v2/images/${id}/file`), bytes, "application/octet-stream");
    return id;
  };
  const create = async (name: string, imageRef: string): Promise<string> =>
    (
      await send<{ server: { id: string } }>("POST", url(8774, "/v2.1/servers"), {
        server: { name, imageRef, flavorRef: flavor, networks: [{ uuid: network }] },
      })
    ).server.id;
  const booted = (name: string, id: string): Promise<Server> =>
    until(
      async () => {
        const server = await show(id);
        return server.status !== "BUILD" && server;
      },
      { timeoutMs: 240_000, everyMs: 300, what: `${name} to end` },
    );
  const boot = async (name: string, imageRef: string): Promise<Server> =>
    booted(name, await create(name, imageRef));
  const deleteImage = (id: string): Promise<void> => send("DELETE", url(9292, `/v2/images/${id}`), undefined);
  /** The guest image's own bytes, as a stranger's image. */
  const goodImage = async (name: string): Promise<string> => {
    const { images } = await getJson<{ images: { id: string; disk_format: string }[] }>(
      url(9292, "/v2/images?visibility=public"),
      token,
    );
    const { id = "", disk_format = "" } = images[0] ?? {};
    const answer = await fetch(url(9292, `/v2/images/${id}/file`), { headers: { "x-auth-token": token } });
    return upload(name, disk_format, Buffer.from(await answer.arrayBuffer()));
  };

  before(async () => {
    cloud = await Cloud.start({
      portOffset: 15_000,
      args: ["--hosts", "1"],
      env: {
        PATH: tools.path,
        KILONOVA_CELLS_MAX_INSTANCES: "-1",
        KILONOVA_CELLS_MAX_CORES: "-1",
        KILONOVA_CELLS_MAX_RAM_MIB: "-1",
      },
    });
    token = await tokenOf(cloud, "demo");
    network =
      (await getJson<{ networks: { id: string }[] }>(url(9696, "/v2.0/networks"), token)).networks[0]?.id ??
      "";
    flavor =
      (
        await getJson<{ flavors: { id: string; name: string }[] }>(url(8774, "/v2.1/flavors"), token)
      ).flavors.find(({ name }) => name === "m1.nano")?.id ?? "";
  });
  after(async () => {
    if (cloud) {
      await deleteAll().catch(() => {});
      await cloud.stop();
      cloud.forget();
    }
    tools.forget();
  });

  async function deleteAll(): Promise<void> {
    const { servers } = await getJson<{ servers: { id: string }[] }>(url(8774, "/v2.1/servers"), token);
    await mapLimit(servers, AT_ONCE, async ({ id }) => {
      await fetch(url(8774, `/v2.1/servers/${id}`), {
        method: "DELETE",
        headers: { "x-auth-token": token },
      });
      await until(
        async () =>
          (await fetch(url(8774, `/v2.1/servers/${id}`), { headers: { "x-auth-token": token } })).status ===
          404,
        { timeoutMs: 120_000, everyMs: 200 },
      );
    });
  }

  it("end in ERROR with a reason that tells nothing of the host, and are never opened", async () => {
    const before = tools.calls.length;
    const leaks = new LeakWatch({
      home: cloud.home,
      project: projectRoot,
      machine: hostname().split(".")[0] ?? "localhost",
      secrets: [token],
      foreign: [],
    });
    const judge = async ({ what, diskFormat, bytes, says }: HostileImage): Promise<string> => {
      const { status, fault } = await boot("victim", await upload(what, diskFormat, bytes));
      const leak = leaks.look(JSON.stringify(fault ?? ""), "", { admin: false, foreign: false });
      const right =
        status === "ERROR" &&
        fault !== undefined &&
        says.test(fault.message) &&
        fault.details === undefined &&
        leak === "" &&
        !fault.message.includes("passwd");
      return right ? "" : `- ${what}: ${status} ${JSON.stringify(fault)} ${leak}`;
    };
    const wrong = (await mapLimit(hostileImages, AT_ONCE, judge)).filter(Boolean);
    assert.equal(wrong.length, 0, `${wrong.length} ends differ:\n${wrong.join("\n")}`);
    assert.deepEqual(tools.calls.slice(before), [], "programs of QEMU were called");
  });

  it("are told apart from a good one, which QEMU's programs do open", async () => {
    const images = await getJson<{ images: { id: string; name: string }[] }>(
      url(9292, "/v2/images?visibility=public"),
      token,
    );
    const before = tools.calls.length;
    assert.equal((await boot("good", images.images[0]?.id ?? "")).status, "ACTIVE");
    const calls = tools.calls.slice(before);
    assert.ok(
      calls.some((call) => call.startsWith("qemu-img convert -f qcow2 ")),
      calls.join("\n"),
    );
    assert.ok(
      calls.some((call) => call.startsWith("qemu-system-x86_64 ")),
      calls.join("\n"),
    );
  });

  it("may be deleted at once: a server whose host had it already runs, any other ends in ERROR and says why", async () => {
    const ends = await mapLimit(["one", "two", "three", "four"], AT_ONCE, async (name) => {
      const image = await goodImage(name);
      const server = await create(name, image);
      await deleteImage(image);
      const { status, fault } = await booted(name, server);
      return status === "ACTIVE" ||
        (status === "ERROR" && fault?.message === `Image ${image} could not be found.`)
        ? ""
        : `${name}: ${status} ${JSON.stringify(fault)}`;
    });
    assert.deepEqual(ends.filter(Boolean), []);
  });

  it("are not missed by a server that runs", async () => {
    const image = await goodImage("kept");
    const { id, status } = await boot("keeper", image);
    assert.equal(status, "ACTIVE");
    await deleteImage(image);
    await send("POST", url(8774, `/v2.1/servers/${id}/action`), { reboot: { type: "HARD" } });
    await until(async () => (await show(id)).status === "ACTIVE", {
      timeoutMs: 240_000,
      everyMs: 300,
      what: "the reboot",
    });
  });
});
