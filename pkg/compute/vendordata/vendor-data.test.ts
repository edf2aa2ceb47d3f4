import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCtx } from "../../kernel/index.js";
import { vendorData, vendordataConfig } from "./index.js";
import type { VendorDataSubject } from "./index.js";

const ctx = rootCtx({ requestId: "req-test" });
const subject: VendorDataSubject = {
  projectId: "p1",
  instanceUuid: "u1",
  imageId: "i1",
  userData: "IyEvYmluL3No",
  hostname: "web-1",
  metadata: new Map([["role", "web"]]),
  bootRoles: ["member", "reader"],
};

describe("vendor data", () => {
  interface Asked {
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: unknown;
  }
  const asked: Asked[] = [];
  let server: Server;
  let url: string;
  /** What each path answers: a status and a text, or nothing at all. */
  const answers = new Map<string, readonly [number, string]>([
    ["/good", [200, '{"token":"t"}']],
    ["/empty", [200, ""]],
    ["/odd", [200, "<html>"]],
    ["/broken", [500, "{}"]],
    ["/list", [200, "[1]"]],
  ]);

  before(async () => {
    server = createServer((request, response) => {
      let text = "";
      request.on("data", (part: Buffer) => {
        text += part.toString();
      });
      request.on("end", () => {
        const path = request.url ?? "";
        asked.push({ path, headers: request.headers, body: JSON.parse(text) });
        const [status, body] =
          path === "/private"
            ? ([request.headers["x-auth-token"] === "fresh" ? 200 : 401, '{"ok":true}'] as const)
            : (answers.get(path) ?? [0, ""]);
        if (status !== 0) response.writeHead(status).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    asked.length = 0;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const dynamic = (names: readonly string[], more: object = {}) =>
    vendordataConfig.parse({
      providers: ["StaticJSON", "DynamicJSON"],
      dynamicTargets: names.map((name) => `${name}@${url}/${name}`),
      ...more,
    });

  it("asks each target with what Nova tells, and keeps each answer under its name", async () => {
    const told = await vendorData(dynamic(["good", "empty", "list"]), undefined).dynamic(ctx, subject);
    assert.deepEqual(
      [...told],
      [
        ["good", { token: "t" }],
        ["empty", {}],
        ["list", [1]],
      ],
    );
    const question = asked.find(({ path }) => path === "/good");
    assert.deepEqual(question?.body, {
      "project-id": "p1",
      "instance-id": "u1",
      "image-id": "i1",
      "user-data": "IyEvYmluL3No",
      hostname: "web-1",
      metadata: { role: "web" },
      "boot-roles": "member,reader",
    });
    assert.equal(question?.headers["content-type"], "application/json");
    assert.equal(question?.headers["x-auth-token"], undefined);
  });

  it("says null for a guest without user data", async () => {
    await vendorData(dynamic(["good"]), undefined).dynamic(ctx, { ...subject, userData: "" });
    const [{ body }] = asked as [Asked];
    assert.equal((body as Record<string, unknown>)["user-data"], null);
  });

  for (const name of ["odd", "broken", "silent"]) {
    it(`tells an empty document when a target is ${name}, and fails when that is fatal`, async () => {
      const more = { dynamicReadTimeoutMs: 100 };
      assert.deepEqual(
        [...(await vendorData(dynamic([name, "good"], more), undefined).dynamic(ctx, subject))],
        [
          [name, {}],
          ["good", { token: "t" }],
        ],
      );
      await assert.rejects(
        vendorData(dynamic([name, "good"], { ...more, dynamicFailureFatal: true }), undefined).dynamic(
          ctx,
          subject,
        ),
        { reason: "VENDORDATA_FAILED" },
      );
    });
  }

  it("bounds the time to connect, and tells an empty document when nobody listens", async () => {
    const config = vendordataConfig.parse({
      providers: ["DynamicJSON"],
      dynamicTargets: ["nobody@http://127.0.0.1:1/"],
      dynamicConnectTimeoutMs: 1000,
    });
    assert.deepEqual([...(await vendorData(config, undefined).dynamic(ctx, subject))], [["nobody", {}]]);
  });

  it("sends its token, and a fresh one after a 401", async () => {
    let current = "stale";
    const auth = {
      token: async () => current,
      discard: (stale: string) => {
        assert.equal(stale, "stale");
        current = "fresh";
      },
    };
    assert.deepEqual(
      [...(await vendorData(dynamic(["private"]), auth).dynamic(ctx, subject))],
      [["private", { ok: true }]],
    );
    assert.deepEqual(
      asked.map(({ headers }) => headers["x-auth-token"]),
      ["stale", "fresh"],
    );
  });

  it("asks nobody unless DynamicJSON is on", async () => {
    assert.deepEqual(
      [
        ...(await vendorData(dynamic(["good"], { providers: ["StaticJSON"] }), undefined).dynamic(
          ctx,
          subject,
        )),
      ],
      [],
    );
    assert.equal(asked.length, 0);
  });

  it("reads the file anew each time; no file is an empty document, no provider none", async () => {
    const dir = await mkdtemp(join(tmpdir(), "vendordata-"));
    try {
      const jsonfilePath = join(dir, "vendor.json");
      const { fixed } = vendorData(vendordataConfig.parse({ jsonfilePath }), undefined);
      await assert.rejects(fixed(), { reason: "VENDORDATA_FILE_UNUSABLE" });
      for (const a of [1, 2]) {
        await writeFile(jsonfilePath, JSON.stringify({ a }));
        assert.deepEqual(await fixed(), { a });
      }
      await writeFile(jsonfilePath, "{");
      await assert.rejects(fixed(), { reason: "VENDORDATA_FILE_UNUSABLE" });
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
    assert.deepEqual(await vendorData(vendordataConfig.parse({}), undefined).fixed(), {});
    assert.equal(
      await vendorData(vendordataConfig.parse({ providers: ["DynamicJSON"] }), undefined).fixed(),
      undefined,
    );
  });

  for (const targets of [
    ["http://x"],
    ["a@ftp://x"],
    ["@http://x"],
    ["a@nowhere"],
    ["a@http://x", "a@http://y"],
  ]) {
    it(`refuses the targets ${targets.join(" ")}`, () =>
      assert.throws(() => vendordataConfig.parse({ dynamicTargets: targets })));
  }
});
