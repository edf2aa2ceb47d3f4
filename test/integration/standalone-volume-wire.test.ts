import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { inner, volumeCloud } from "./support/volume-cloud.js";
import type { Answer, Json, VolumeCloud } from "./support/volume-cloud.js";

describe("standalone volume: wire", () => {
  let c: VolumeCloud;

  before(async () => {
    c = await volumeCloud();
  });
  after(() => c.close());

  const fault = ({ status, body }: Answer): unknown[] => {
    const [kind = "", told] = Object.entries(body)[0] ?? [];
    return [status, kind, (told as Json | undefined)?.["message"]];
  };
  const create = async (wish: Json = {}, user: "admin" | "demo" = "demo"): Promise<string> => {
    const made = await c.ask(user, "POST", "/volumes", { volume: { size: 1, ...wish } });
    assert.equal(made.status, 202, JSON.stringify(made.body));
    const id = String(inner(made.body, "volume")["id"]);
    await c.settled(`/volumes/${id}`, "available");
    return id;
  };
  const remove = async (id: string): Promise<void> => {
    assert.equal((await c.ask("demo", "DELETE", `/volumes/${id}`)).status, 202);
    await c.gone(`/volumes/${id}`);
  };
  const service = { headers: { "X-Service-Token": "" } };
  before(() => {
    service.headers["X-Service-Token"] = c.tokens.nova;
  });

  it("tells its versions without a token, and is in the catalog under both names", async () => {
    const url = c.t.cloud.urls.volume;
    const [root, v3] = [await c.t.raw(`${url}/`), await c.t.raw(`${url}/v3/`)];
    assert.deepEqual([root.status, v3.status], [300, 200]);
    const [version] = root.body["versions"] as Json[];
    assert.deepEqual(
      [version?.["id"], version?.["status"], version?.["version"], version?.["min_version"]],
      ["v3.0", "CURRENT", "3.68", "3.0"],
    );
    assert.deepEqual(
      [(version?.["links"] as Json[] | undefined)?.[0]?.["href"], root.body],
      [`${url}/v3/`, v3.body],
    );
    const { body } = await c.t.raw(`${c.t.cloud.urls.identity}/v3/auth/catalog`, { token: c.tokens.demo });
    const types = (body["catalog"] as Json[]).filter(({ endpoints }) =>
      JSON.stringify(endpoints).includes(`${url}/v3/${c.projects.demo}`),
    );
    assert.deepEqual(types.map(({ type }) => type).sort(), ["block-storage", "volumev3"]);
  });

  it("wants a token, and in the path no other project than its own", async () => {
    const bare = await c.t.raw(`${c.t.cloud.urls.volume}/v3/${c.projects.demo}/volumes`);
    assert.equal(bare.status, 401);
    assert.match(bare.headers.get("www-authenticate") ?? "", /^Keystone uri="/);
    for (const user of ["demo", "admin"] as const) {
      const other = await c.t.raw(`${c.t.cloud.urls.volume}/v3/${c.projects.service}/volumes`, {
        token: c.tokens[user],
      });
      assert.deepEqual(fault(other), [400, "badRequest", "Malformed request url"]);
    }
    const none = await c.t.raw(`${c.t.cloud.urls.volume}/v3/volumes`, { token: c.tokens.demo });
    assert.equal(none.status, 200);
    const odd = await c.ask("demo", "GET", "/nothing");
    assert.deepEqual(fault(odd).slice(0, 2), [404, "itemNotFound"]);
  });

  it("speaks versions 3.0 to 3.68", async () => {
    const told = await c.ask("demo", "GET", "/volumes", undefined, { version: "3.44" });
    assert.deepEqual(
      [told.headers.get("openstack-api-version"), told.headers.get("vary")],
      ["volume 3.44", "OpenStack-API-Version"],
    );
    const late = await c.ask("demo", "GET", "/volumes", undefined, { version: "3.99" });
    assert.deepEqual(fault(late), [
      406,
      "computeFault",
      "Version 3.99 is not supported by the API. Minimum is 3.0 and maximum is 3.68.",
    ]);
    assert.equal((await c.ask("demo", "GET", "/volumes", undefined, { version: "x" })).status, 400);
    const early = await c.ask("demo", "GET", "/attachments", undefined, { version: "3.26" });
    assert.deepEqual(fault(early), [
      404,
      "itemNotFound",
      "API version 3.26 is not supported on this method.",
    ]);
    const id = await create({ name: "versions" });
    const fields = async (version: string): Promise<string[]> =>
      Object.keys(
        inner((await c.ask("demo", "GET", `/volumes/${id}`, undefined, { version })).body, "volume"),
      );
    const [first, last] = [await fields("3.0"), await fields("3.68")];
    assert.deepEqual(
      last.filter((name) => !first.includes(name)),
      ["group_id", "shared_targets", "service_uuid", "volume_type_id", "consumes_quota"],
    );
    await remove(id);
  });

  it("answers creation and update without what only showing and listing add", async () => {
    const added = [
      "os-vol-tenant-attr:tenant_id",
      "os-vol-host-attr:host",
      "os-vol-mig-status-attr:migstat",
      "os-vol-mig-status-attr:name_id",
    ];
    for (const user of ["demo", "admin"] as const) {
      const made = await c.ask(user, "POST", "/volumes", { volume: { size: 1, name: "plain" } });
      const volume = inner(made.body, "volume");
      const path = `/volumes/${String(volume["id"])}`;
      const changed = await c.ask(user, "PUT", path, { volume: { name: "renamed" } });
      const shown = Object.keys(inner((await c.ask(user, "GET", path)).body, "volume"));
      for (const answer of [Object.keys(volume), Object.keys(inner(changed.body, "volume"))]) {
        assert.deepEqual(
          shown.filter((name) => !answer.includes(name)),
          user === "admin" ? added : added.slice(0, 1),
        );
        assert.equal(answer.includes("migration_status"), user === "admin");
      }
      await c.settled(path, "available");
      assert.equal((await c.ask(user, "DELETE", path)).status, 202);
      await c.gone(path);
    }
  });

  it("makes, lists, pages, changes and removes volumes", async () => {
    const ids = [
      await create({ name: "a", metadata: { k: "1" } }),
      await create({ name: "b", description: "d", availability_zone: "nova", volume_type: "__DEFAULT__" }),
      await create({ name: "c", metadata: { k: "1" } }),
    ];
    const list = async (query: string, path = "/volumes"): Promise<unknown[]> =>
      ((await c.ask("demo", "GET", `${path}${query}`)).body["volumes"] as Json[]).map(({ name }) => name);
    assert.deepEqual(await list("?sort=name:asc"), ["a", "b", "c"]);
    assert.deepEqual(await list("/detail?sort_key=name&sort_dir=desc"), ["c", "b", "a"]);
    assert.deepEqual(await list("?name=b"), ["b"]);
    assert.deepEqual(await list("?status=error"), []);
    assert.deepEqual(await list("?bootable=true"), []);
    assert.deepEqual(await list(`?metadata=${encodeURIComponent("{'k': '1'}")}&sort=name:asc`), ["a", "c"]);
    assert.deepEqual(await list("?volume_type=__DEFAULT__&sort=name:asc&limit=1"), ["a"]);
    const seen: unknown[] = [];
    let next: string | undefined = "?sort=name:asc&limit=2&with_count=true";
    while (next !== undefined) {
      const { body } = await c.ask("demo", "GET", `/volumes/detail${next}`);
      seen.push(...(body["volumes"] as Json[]).map(({ name }) => name));
      assert.equal(body["count"], 3);
      const links = body["volumes_links"] as Json[] | undefined;
      next = links && new URL(String(links[0]?.["href"])).search;
    }
    assert.deepEqual(seen, ["a", "b", "c"]);
    const bad = await c.ask("demo", "GET", "/volumes?sort=nothing:asc");
    assert.deepEqual(fault(bad), [400, "badRequest", "Invalid input received: Invalid sort key: nothing"]);
    assert.equal((await c.ask("demo", "GET", `/volumes?marker=${randomUUID()}`)).status, 400);
    const put = await c.ask("demo", "PUT", `/volumes/${ids[0]}`, {
      volume: { name: " new ", description: "text" },
    });
    const changed = inner(put.body, "volume");
    assert.deepEqual([put.status, changed["name"], changed["description"]], [200, "new", "text"]);
    const unknown = await c.ask("demo", "PUT", `/volumes/${ids[0]}`, { volume: { size: 3 } });
    assert.deepEqual(fault(unknown), [
      400,
      "badRequest",
      "Invalid input for field/attribute volume. Additional properties are not allowed ('size').",
    ]);
    assert.equal((await c.ask("demo", "GET", "/volumes/new")).status, 404);
    for (const id of ids) await remove(id);
  });

  it("names what is wrong with a new volume", async () => {
    const refused = async (volume: Json): Promise<unknown[]> =>
      fault(await c.ask("demo", "POST", "/volumes", { volume }));
    const message = async (volume: Json): Promise<string> => String((await refused(volume))[2]);
    assert.match(await message({ size: 0 }), /attribute volume\.size/);
    assert.match(await message({ size: "x" }), /attribute volume\.size/);
    assert.match(await message({}), /size argument must be an integer/);
    assert.match(await message({ size: 1, name: "x".repeat(256) }), /attribute volume\.name/);
    assert.match(await message({ size: 1, metadata: { k: 1 } }), /attribute volume\.metadata/);
    assert.match(await message({ size: 1, backup_id: randomUUID() }), /volume\.backup_id.*not served/);
    assert.match(await message({ size: 1, multiattach: true }), /multiattach parameter has been removed/);
    assert.deepEqual(await refused({ size: 1, availability_zone: "mars" }), [
      400,
      "badRequest",
      "Availability zone 'mars' is invalid.",
    ]);
    assert.deepEqual(await refused({ size: 1, volume_type: "none" }), [
      404,
      "itemNotFound",
      "Volume type with name none could not be found.",
    ]);
    const lost = randomUUID();
    assert.deepEqual(await refused({ size: 1, snapshot_id: lost }), [
      404,
      "itemNotFound",
      `Snapshot ${lost} could not be found.`,
    ]);
    assert.equal((await c.ask("demo", "POST", "/volumes", "{")).status, 400);
    assert.equal((await c.ask("demo", "POST", "/volumes", "[]")).status, 400);
  });

  it("answers odd bodies and odd paths with what is wrong about them, never with a failure of its own", async () => {
    const id = await create();
    const attachment = await c.ask("demo", "POST", "/attachments", { attachment: { volume_uuid: id } });
    const attachmentId = String(inner(attachment.body, "attachment")["id"]);
    const deep = JSON.parse("[".repeat(200) + "]".repeat(200)) as unknown;
    const odd = [null, [], "x", 1, {}, { a: null }, deep] as const;
    const doors: readonly (readonly [method: string, path: string, envelope: string])[] = [
      ["POST", "/volumes", "volume"],
      ["PUT", `/volumes/${id}`, "volume"],
      ["POST", `/volumes/${id}/metadata`, "metadata"],
      ["PUT", `/volumes/${id}/metadata/k`, "meta"],
      ["POST", "/snapshots", "snapshot"],
      ["POST", "/attachments", "attachment"],
      ["PUT", `/attachments/${attachmentId}`, "attachment"],
      ["POST", `/attachments/${attachmentId}/action`, "os-nothing"],
      ["POST", "/types", "volume_type"],
      ["PUT", `/os-quota-sets/${c.projects.admin}`, "quota_set"],
      ...[
        "os-attach",
        "os-detach",
        "os-initialize_connection",
        "os-terminate_connection",
        "os-extend",
        "os-set_bootable",
        "os-update_readonly_flag",
        "os-volume_upload_image",
        "os-set_image_metadata",
        "os-unset_image_metadata",
        "os-reimage",
      ].map((name) => ["POST", `/volumes/${id}/action`, name] as const),
    ];
    for (const [method, path, envelope] of doors)
      for (const wrong of odd)
        for (const body of [wrong, { [envelope]: wrong }]) {
          const answer = await c.ask("admin", method, path, body);
          const said = `${method} ${path} ${JSON.stringify(body).slice(0, 80)}: ${answer.status}`;
          assert.ok(answer.status < 500, `${said} ${JSON.stringify(answer.body)}`);
        }
    for (const path of [
      "/volumes/%00",
      "/volumes/%ff",
      `/volumes/${"x".repeat(2_000)}`,
      "/volumes?limit=-1",
      "/volumes?name=%00",
    ])
      assert.ok([400, 404].includes((await c.ask("demo", "GET", path)).status), path);
    const late = await c.ask("admin", "GET", `/volumes/${id}`);
    assert.equal(late.status, 200);
    await c.ask("demo", "DELETE", `/attachments/${attachmentId}`);
    await remove(id);
  });

  it("shows a project nothing of another's, and lets administrators see all", async () => {
    const id = await create({ name: "theirs" }, "admin");
    const attachment = await c.ask("admin", "POST", "/attachments", {
      attachment: { volume_uuid: id, instance_uuid: randomUUID() },
    });
    const attachmentId = String(inner(attachment.body, "attachment")["id"]);
    for (const [method, path, body] of [
      ["GET", `/volumes/${id}`],
      ["PUT", `/volumes/${id}`, { volume: { name: "mine" } }],
      ["DELETE", `/volumes/${id}`],
      ["POST", `/volumes/${id}/action`, { "os-reserve": null }],
      ["GET", `/volumes/${id}/metadata`],
      ["GET", `/volumes/${id}/encryption`],
      ["POST", "/snapshots", { snapshot: { volume_id: id, force: true } }],
      ["POST", "/volumes", { volume: { source_volid: id } }],
      ["POST", "/attachments", { attachment: { volume_uuid: id } }],
      ["GET", `/attachments/${attachmentId}`],
      ["PUT", `/attachments/${attachmentId}`, { attachment: { connector: { host: "x" } } }],
      ["POST", `/attachments/${attachmentId}/action`, { "os-complete": {} }],
      ["DELETE", `/attachments/${attachmentId}`],
    ] as const) {
      const answer = await c.ask(
        "demo",
        method,
        path,
        body,
        path === "/snapshots" ? { version: "3.60" } : {},
      );
      assert.equal(answer.status, 404, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    }
    for (const query of ["?all_tenants=1", `?project_id=${c.projects.admin}`]) {
      const listed = (await c.ask("demo", "GET", `/volumes${query}`)).body["volumes"] as Json[];
      assert.ok(!listed.some((one) => one["id"] === id), query);
      const attachments = (await c.ask("demo", "GET", `/attachments${query}`)).body["attachments"] as Json[];
      assert.ok(!attachments.some((one) => one["id"] === attachmentId), query);
    }
    const mine = await create({ name: "mine" });
    const all = (await c.ask("admin", "GET", "/volumes?all_tenants=1")).body["volumes"] as Json[];
    assert.ok([id, mine].every((wish) => all.some((one) => one["id"] === wish)));
    const own = (await c.ask("admin", "GET", "/volumes")).body["volumes"] as Json[];
    assert.ok(!own.some((one) => one["id"] === mine));
    await remove(mine);
    assert.equal((await c.ask("admin", "DELETE", `/attachments/${attachmentId}`)).status, 200);
    assert.equal((await c.ask("admin", "DELETE", `/volumes/${id}`)).status, 202);
    await c.gone(`/volumes/${id}`);
    for (const [method, path, body] of [
      ["POST", "/types", { volume_type: { name: "t" } }],
      ["GET", "/os-services"],
      ["PUT", `/os-quota-sets/${c.projects.demo}`, { quota_set: { volumes: 100 } }],
      ["GET", `/os-quota-sets/${c.projects.admin}`],
    ] as const)
      assert.equal((await c.ask("demo", method, path, body)).status, 403, path);
  });

  it("lets nobody but a service take an attachment away from a server that has it", async () => {
    const id = await create();
    const server = randomUUID();
    const made = await c.ask("demo", "POST", "/attachments", {
      attachment: { volume_uuid: id, instance_uuid: server, connector: { host: "h" }, mode: "rw" },
    });
    const attachment = String(inner(made.body, "attachment")["id"]);
    await c.ask("demo", "POST", `/attachments/${attachment}/action`, { "os-complete": null });
    const refused = await c.ask("demo", "DELETE", `/attachments/${attachment}`);
    assert.deepEqual(fault(refused), [
      409,
      "conflictingRequest",
      `Detach volume from instance ${server} using the Compute API`,
    ]);
    const detach = { "os-detach": { attachment_id: attachment } };
    assert.equal((await c.ask("demo", "POST", `/volumes/${id}/action`, detach)).status, 409);
    const own = { headers: { "X-Service-Token": c.tokens.demo } };
    assert.equal((await c.ask("demo", "DELETE", `/attachments/${attachment}`, undefined, own)).status, 409);
    const shown = inner((await c.ask("demo", "GET", `/volumes/${id}`)).body, "volume");
    const [told] = shown["attachments"] as Json[];
    assert.deepEqual(
      [shown["status"], told?.["attachment_id"], told?.["server_id"]],
      ["in-use", attachment, server],
    );
    assert.equal(fault(await c.ask("demo", "DELETE", `/volumes/${id}`))[0], 400);
    const done = await c.ask("demo", "DELETE", `/attachments/${attachment}`, undefined, service);
    assert.deepEqual([done.status, done.body], [200, { attachments: [] }]);
    assert.equal((await c.ask("demo", "GET", `/attachments/${attachment}`)).status, 404);
    const mode = await c.ask(
      "demo",
      "POST",
      "/attachments",
      { attachment: { volume_uuid: id, mode: "ro" } },
      { version: "3.53" },
    );
    assert.equal(mode.status, 400);
    await remove(id);
  });

  it("gives one reservation of a volume to one of ten that ask at once, and a second one to its server", async () => {
    const id = await create();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        c.ask("demo", "POST", "/attachments", {
          attachment: { volume_uuid: id, instance_uuid: randomUUID() },
        }),
      ),
    );
    const won = answers.filter(({ status }) => status === 200);
    assert.deepEqual(
      [won.length, answers.filter(({ status }) => status === 400).length],
      [1, 9],
      JSON.stringify(answers.map(fault)),
    );
    const first = inner(won[0]?.body ?? {}, "attachment");
    const second = await c.ask("demo", "POST", "/attachments", {
      attachment: { volume_uuid: id, instance_uuid: first["instance"] },
    });
    assert.equal(second.status, 200);
    const listed = await c.ask("demo", "GET", `/attachments/detail?volume_id=${id}`);
    const attachments = listed.body["attachments"] as Json[];
    assert.deepEqual(
      attachments.map(({ status }) => status),
      ["reserved", "reserved"],
    );
    for (const one of attachments)
      assert.equal((await c.ask("demo", "DELETE", `/attachments/${String(one["id"])}`)).status, 200);
    await remove(id);
  });

  it("moves a volume through its states by actions", async () => {
    const id = await create();
    const act = async (body: Json, more = {}): Promise<number> =>
      (await c.ask("demo", "POST", `/volumes/${id}/action`, body, more)).status;
    const status = async (): Promise<unknown> =>
      inner((await c.ask("demo", "GET", `/volumes/${id}`)).body, "volume")["status"];
    assert.deepEqual([await act({ "os-reserve": null }), await status()], [202, "attaching"]);
    assert.deepEqual([await act({ "os-reserve": {} }), await status()], [400, "attaching"]);
    assert.deepEqual([await act({ "os-unreserve": null }), await status()], [202, "available"]);
    await act({ "os-reserve": null });
    const attach = { "os-attach": { instance_uuid: randomUUID(), mountpoint: "/dev/vdc", mode: "rw" } };
    assert.deepEqual([await act(attach), await status()], [202, "in-use"]);
    assert.deepEqual([await act({ "os-begin_detaching": null }), await status()], [202, "detaching"]);
    assert.deepEqual([await act({ "os-begin_detaching": null }), await status()], [400, "detaching"]);
    assert.deepEqual([await act({ "os-roll_detaching": null }), await status()], [202, "in-use"]);
    assert.deepEqual([await act({ "os-detach": {} }), await status()], [202, "available"]);
    const connected = await c.ask("demo", "POST", `/volumes/${id}/action`, {
      "os-initialize_connection": { connector: { host: "h" } },
    });
    const info = inner(connected.body, "connection_info");
    assert.deepEqual([connected.status, info["driver_volume_type"]], [200, "nbd"]);
    assert.equal(await act({ "os-terminate_connection": { connector: { host: "h" } } }), 202);
    assert.equal(await status(), "available");
    assert.equal(await act({ "os-set_bootable": { bootable: "True" } }), 200);
    assert.equal(inner((await c.ask("demo", "GET", `/volumes/${id}`)).body, "volume")["bootable"], "true");
    assert.equal(await act({ "os-set_image_metadata": { metadata: { a: "b" } } }), 200);
    const image = await c.ask("demo", "POST", `/volumes/${id}/action`, { "os-show_image_metadata": null });
    assert.deepEqual(image.body, { metadata: { a: "b" } });
    assert.equal(await act({ "os-unset_image_metadata": { key: "a" } }), 200);
    assert.equal(await act({ "os-unset_image_metadata": { key: "a" } }), 404);
    assert.equal(await act({ "os-nothing": {} }), 400);
    assert.equal(await act({}), 400);
    assert.equal(await act({ "os-reset_status": { status: "error" } }), 403);
    const reset = { "os-reset_status": { status: "error" } };
    assert.equal((await c.ask("admin", "POST", `/volumes/${id}/action`, reset)).status, 202);
    assert.equal(await status(), "error");
    assert.equal(
      (await c.ask("admin", "POST", `/volumes/${id}/action`, { "os-force_delete": {} })).status,
      202,
    );
    await c.gone(`/volumes/${id}`);
  });

  it("keeps metadata of volumes and snapshots", async () => {
    const id = await create();
    const made = await c.ask("demo", "POST", "/snapshots", {
      snapshot: { volume_id: id, name: "s", metadata: { a: "1" } },
    });
    const snapshot = String(inner(made.body, "snapshot")["id"]);
    await c.settled(`/snapshots/${snapshot}`, "available");
    const force = { "os-force_delete": {} };
    assert.equal((await c.ask("admin", "POST", `/volumes/${id}/action`, force)).status, 400);
    for (const path of [`/volumes/${id}/metadata`, `/snapshots/${snapshot}/metadata`]) {
      assert.equal((await c.ask("demo", "PUT", path, { metadata: { a: "1", b: "2" } })).status, 200);
      const more = await c.ask("demo", "POST", path, { metadata: { c: "3" } });
      assert.deepEqual(more.body, { metadata: { a: "1", b: "2", c: "3" } });
      assert.deepEqual((await c.ask("demo", "GET", `${path}/b`)).body, { meta: { b: "2" } });
      assert.equal((await c.ask("demo", "PUT", `${path}/b`, { meta: { x: "2" } })).status, 400);
      assert.equal((await c.ask("demo", "DELETE", `${path}/b`)).status, 200);
      assert.equal((await c.ask("demo", "GET", `${path}/b`)).status, 404);
    }
    const shown = inner((await c.ask("demo", "GET", `/snapshots/${snapshot}`)).body, "snapshot");
    assert.deepEqual(
      [shown["volume_id"], shown["size"], shown["os-extended-snapshot-attributes:progress"]],
      [id, 1, "100%"],
    );
    const put = await c.ask("demo", "PUT", `/snapshots/${snapshot}`, { snapshot: { name: "t" } });
    assert.equal(inner(put.body, "snapshot")["name"], "t");
    const listed = (await c.ask("demo", "GET", "/snapshots/detail?name=t")).body["snapshots"] as Json[];
    assert.deepEqual(
      listed.map((one) => one["id"]),
      [snapshot],
    );
    assert.equal((await c.ask("demo", "DELETE", `/snapshots/${snapshot}`)).status, 202);
    await c.gone(`/snapshots/${snapshot}`);
    await remove(id);
  });

  it("has services that administrators see, heard of just now", async () => {
    const { services } = (await c.ask("admin", "GET", "/os-services")).body as { services: Json[] };
    assert.deepEqual(
      services.map(({ binary, host, state }) => [binary, host, state]),
      [
        ["cinder-scheduler", "kilonova", "up"],
        ["cinder-volume", "kilonova@files", "up"],
      ],
    );
    for (const { updated_at: at } of services) assert.match(String(at), /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}$/);
  });

  it("has types with extra specs, which administrators make", async () => {
    const { status, body } = await c.ask("admin", "POST", "/types", {
      volume_type: { name: "fast", description: "d", extra_specs: { secret: "x" } },
    });
    assert.equal(status, 200);
    const id = String(inner(body, "volume_type")["id"]);
    // Creation tells less than showing.
    const shownKeys = Object.keys(inner((await c.ask("admin", "GET", `/types/${id}`)).body, "volume_type"));
    const madeKeys = Object.keys(inner(body, "volume_type"));
    assert.deepEqual(
      shownKeys.filter((key) => !madeKeys.includes(key)),
      ["qos_specs_id"],
    );
    const again = await c.ask("admin", "POST", "/types", { volume_type: { name: "fast" } });
    assert.deepEqual(fault(again), [409, "conflictingRequest", "Volume Type fast already exists."]);
    const specs = await c.ask("admin", "POST", `/types/${id}/extra_specs`, {
      extra_specs: { multiattach: "<is> True" },
    });
    assert.deepEqual(specs.body, { extra_specs: { multiattach: "<is> True" } });
    const seen = await c.ask("demo", "GET", `/types/${id}`);
    assert.deepEqual(inner(seen.body, "volume_type")["extra_specs"], { multiattach: "<is> True" });
    assert.equal((await c.ask("admin", "DELETE", `/types/${id}/extra_specs/secret`)).status, 202);
    assert.equal((await c.ask("admin", "DELETE", `/types/${id}/extra_specs/secret`)).status, 404);
    const names = ((await c.ask("demo", "GET", "/types")).body["volume_types"] as Json[]).map(
      ({ name }) => name,
    );
    assert.deepEqual(names, ["__DEFAULT__", "fast"]);
    const standard = inner((await c.ask("demo", "GET", "/types/default")).body, "volume_type");
    assert.equal(standard["name"], "__DEFAULT__");
    const volume = await create({ volume_type: id });
    assert.equal((await c.ask("admin", "DELETE", `/types/${id}`)).status, 400);
    await remove(volume);
    assert.equal((await c.ask("admin", "DELETE", `/types/${id}`)).status, 202);
    assert.equal((await c.ask("admin", "DELETE", `/types/${String(standard["id"])}`)).status, 400);
  });

  it("holds projects to their quotas, also those that ask at once", async () => {
    const quota = (quota_set: Json) =>
      c.ask("admin", "PUT", `/os-quota-sets/${c.projects.demo}`, { quota_set });
    assert.equal((await quota({ volumes: 2, gigabytes: 4, snapshots: 1 })).status, 200);
    assert.equal((await quota({ nothing: 2 })).status, 400);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => c.ask("demo", "POST", "/volumes", { volume: { size: 1 } })),
    );
    const made = answers.filter(({ status }) => status === 202);
    const over = answers.find(({ status }) => status === 413);
    assert.deepEqual([made.length, answers.filter(({ status }) => status === 413).length], [2, 3]);
    assert.deepEqual(over && [...fault(over), over.headers.get("retry-after")], [
      413,
      "overLimit",
      "VolumeLimitExceeded: Maximum number of volumes allowed (2) exceeded for quota 'volumes'.",
      "0",
    ]);
    const [id = "", other = ""] = made.map(({ body }) => String(inner(body, "volume")["id"]));
    for (const one of [id, other]) await c.settled(`/volumes/${one}`, "available");
    const grow = await c.ask("demo", "POST", `/volumes/${id}/action`, { "os-extend": { new_size: 4 } });
    assert.deepEqual(fault(grow), [
      413,
      "overLimit",
      "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. Requested 3G, quota is 4G and 2G has been consumed.",
    ]);
    const { body } = await c.ask("demo", "GET", "/limits");
    const { absolute } = inner(body, "limits") as { absolute: Json };
    assert.deepEqual(
      [absolute["maxTotalVolumes"], absolute["totalVolumesUsed"], absolute["totalGigabytesUsed"]],
      [2, 2, 2],
    );
    const told = await c.ask("demo", "GET", `/os-quota-sets/${c.projects.demo}?usage=true`);
    assert.deepEqual(inner(told.body, "quota_set")["volumes"], { limit: 2, in_use: 2, reserved: 0 });
    for (const one of [id, other]) await remove(one);
    assert.equal((await c.ask("admin", "DELETE", `/os-quota-sets/${c.projects.demo}`)).status, 200);
    const back = await c.ask("demo", "GET", `/os-quota-sets/${c.projects.demo}`);
    assert.equal(inner(back.body, "quota_set")["volumes"], 10);
  });
});
