import assert from "node:assert/strict";
import { anonymous, KilonovaError } from "../../../kernel/index.js";
import type { Actor } from "../../../kernel/index.js";
import { applyChanges, readNewImage, tagList } from "./attributes.js";
import type { Change } from "./attributes.js";
import type { Image } from "./model.js";
import { readPatch } from "./patch.js";
import { demandAnswer } from "./policy.js";
import { readListQuery } from "./query.js";

const refuses =
  (reason: string, text = "") =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason && error.message.includes(text);
const member: Actor = { ...anonymous, kind: "user", projectId: "mine", roles: ["member", "reader"] };
const admin: Actor = { ...member, projectId: "theirs", roles: ["admin"] };

describe("answers to a share", () => {
  it("take a member of the project it is for, or an administrator", () => {
    for (const roles of [["reader"], []])
      assert.throws(() => demandAnswer({ ...member, roles }, "mine"), refuses("FORBIDDEN", "modify_member"));
    assert.throws(() => demandAnswer(member, "theirs"), refuses("FORBIDDEN", "modify_member"));
    demandAnswer(member, "mine");
    demandAnswer(admin, "mine");
  });
});

describe("image patches", () => {
  it("read operations of one attribute each, with escapes", () => {
    assert.deepEqual(
      readPatch(
        [
          { op: "add", path: "/a~1b~0c", value: "1" },
          { op: "replace", path: "/name", value: null },
          { op: "remove", path: "/x" },
        ],
        false,
      ),
      [
        { op: "add", name: "a/b~c", value: "1" },
        { op: "replace", name: "name", value: null },
        { op: "remove", name: "x" },
      ],
    );
    assert.deepEqual(readPatch([{ add: "/a", value: "1" }, { remove: "/b" }], true), [
      { op: "add", name: "a", value: "1" },
      { op: "remove", name: "b" },
    ]);
    assert.deepEqual(readPatch([], false), []);
  });

  it("refuse everything else", () => {
    for (const [body, draft4] of [
      [{}, false],
      ["x", false],
      [[[]], false],
      [[{ op: "move", path: "/a", from: "/b" }], false],
      [[{ op: "copy", path: "/a", from: "/b" }], false],
      [[{ op: "add", value: "1" }], false],
      [[{ op: "add", path: "a", value: "1" }], false],
      [[{ op: "add", path: "/", value: "1" }], false],
      [[{ op: "add", path: "/tags/-", value: "1" }], false],
      [[{ op: "replace", path: "/a" }], false],
      [[{ op: "add", path: "/~", value: "1" }], false],
      [[{ op: "add", path: 5, value: "1" }], false],
      [[{ op: "add", path: "/a", value: "1" }], true],
      [Array.from({ length: 513 }, () => ({ op: "remove", path: "/a" })), false],
    ] as const)
      assert.throws(() => readPatch(body, draft4), refuses("INVALID"), JSON.stringify(body).slice(0, 80));
  });
});

describe("image attributes", () => {
  const image: Image = {
    ...readNewImage({ name: "i", disk_format: "raw", container_format: "bare", hw_x: "1" }, member),
    id: "i",
    status: "active",
    size: 1,
    virtualSize: 1,
    checksum: null,
    hashAlgo: null,
    hashValue: null,
    uploadId: "u",
    createdAt: 0n,
    updatedAt: 0n,
  };
  const after = (changes: readonly Change[], actor = member, before: Image = image) =>
    applyChanges(before, changes, actor);

  it("belong to whoever makes the image, and start out shared", () => {
    const {
      owner,
      visibility,
      protected: guarded,
      properties,
    } = readNewImage({ id: "ignored", "a b": "c", __proto__: null }, member);
    assert.deepEqual(
      [owner, visibility, guarded, { ...properties }],
      ["mine", "shared", false, { "a b": "c" }],
    );
    assert.throws(() => readNewImage({ owner: "theirs" }, member), refuses("FORBIDDEN", "set_owner"));
    assert.equal(readNewImage({ owner: "mine" }, admin).owner, "mine");
    assert.throws(() => readNewImage({ owner: null }, member), refuses("FORBIDDEN", "set_owner"));
    assert.throws(() => readNewImage({}, { ...member, projectId: "" }), refuses("FORBIDDEN", "set_owner"));
    assert.equal(readNewImage({ owner: null }, admin).owner, null);
    assert.throws(
      () => readNewImage({ visibility: "public" }, member),
      refuses("FORBIDDEN", "publicize_image"),
    );
    for (const name of ["status", "size", "checksum", "self", "locations"])
      assert.throws(() => readNewImage({ [name]: "x" }, admin), refuses("READ_ONLY", name));
    for (const name of ["deleted", "is_public", "os_glance_x"])
      assert.throws(() => readNewImage({ [name]: "x" }, admin), refuses("RESERVED", name));
  });

  it("change in the order of the operations", () => {
    const { name, properties, tags } = after([
      { op: "add", name: "name", value: "first" },
      { op: "replace", name: "name", value: "second" },
      { op: "add", name: "hw_x", value: "2" },
      { op: "replace", name: "hw_x", value: "3" },
      { op: "add", name: "y", value: "4" },
      { op: "remove", name: "y" },
      { op: "add", name: "tags", value: ["t", "t"] },
    ]);
    assert.deepEqual([name, properties, tags], ["second", { hw_x: "3" }, ["t"]]);
  });

  it("stay as they are when an operation cannot be", () => {
    for (const [change, reason] of [
      [{ op: "remove", name: "y" }, "NO_SUCH_PROPERTY"],
      [{ op: "replace", name: "y", value: "1" }, "NO_SUCH_PROPERTY"],
      [{ op: "remove", name: "name" }, "NOT_REMOVABLE"],
      [{ op: "remove", name: "size" }, "READ_ONLY"],
      [{ op: "replace", name: "size", value: 1 }, "READ_ONLY"],
      [{ op: "add", name: "disk_format", value: "qcow2" }, "QUEUED_ONLY"],
      [{ op: "add", name: "owner", value: "theirs" }, "FORBIDDEN"],
      [{ op: "add", name: "visibility", value: "public" }, "FORBIDDEN"],
      [{ op: "add", name: "y", value: 1 }, "INVALID"],
      [{ op: "add", name: "y", value: "x".repeat(65_536) }, "INVALID"],
      [{ op: "add", name: "min_ram", value: 2 ** 31 }, "INVALID"],
      [{ op: "add", name: "protected", value: "true" }, "INVALID"],
      [{ op: "add", name: "tags", value: [1] }, "INVALID"],
      [{ op: "add", name: "name", value: "x".repeat(256) }, "INVALID"],
    ] as const)
      assert.throws(() => after([change]), refuses(reason), JSON.stringify(change).slice(0, 80));
    assert.equal(
      after([{ op: "add", name: "disk_format", value: "qcow2" }], member, { ...image, status: "queued" })
        .diskFormat,
      "qcow2",
    );
    assert.equal(after([{ op: "add", name: "visibility", value: "public" }], admin).visibility, "public");
  });

  it("fit into bounds", () => {
    const many = Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`p${n}`, "x"]));
    assert.throws(() => readNewImage(many, member), refuses("TOO_MUCH", "128"));
    assert.throws(
      () => tagList(Array.from({ length: 129 }, (_, n) => String(n))),
      refuses("TOO_MUCH", "128"),
    );
  });
});

describe("image lists", () => {
  const read = (query: string) => {
    const map = new Map<string, string[]>();
    for (const [name, value] of new URLSearchParams(query)) map.set(name, [...(map.get(name) ?? []), value]);
    return readListQuery(map);
  };

  it("tell filters on attributes from those on properties", () => {
    const { text, numbers, properties, tags, hidden, visibility, limit, sort } = read(
      "name=in:a,%22b,c%22&size_min=5&image_type=snapshot&tag=x&tag=y&os_hidden=True&visibility=all",
    );
    assert.deepEqual(text, [{ column: "name", anyOf: ["a", "b,c"] }]);
    assert.deepEqual(numbers, [{ column: "size", op: ">=", value: 5 }]);
    assert.deepEqual(properties, [{ name: "image_type", value: "snapshot" }]);
    assert.deepEqual([tags, hidden, visibility, limit], [["x", "y"], true, "all", 25]);
    assert.deepEqual(sort, [
      { column: "created_at", descending: true },
      { column: "id", descending: true },
    ]);
    assert.deepEqual(read("updated_at=gte:2026-01-01T00:00:00Z").times[0]?.op, ">=");
    assert.equal(read("limit=5000").limit, 1_000);
  });

  it("take either way of sorting, not both", () => {
    assert.deepEqual(
      read("sort=name:asc,size").sort.map(({ column, descending }) => `${column} ${descending}`),
      ["name false", "size true", "created_at true", "id true"],
    );
    assert.deepEqual(
      read("sort_key=name&sort_key=id&sort_dir=asc").sort.map(
        ({ column, descending }) => `${column} ${descending}`,
      ),
      ["name false", "id false", "created_at false"],
    );
    assert.deepEqual(
      read(`sort=${"size:asc,name:asc,size:desc,".repeat(500)}name`).sort.map(
        ({ column, descending }) => `${column} ${descending}`,
      ),
      ["size false", "name false", "created_at false", "id false"],
    );
    for (const bad of [
      "sort=name&sort_key=id",
      "sort=nonsense",
      "sort=name:up",
      "sort_key=name&sort_dir=asc&sort_dir=desc",
      "protected=perhaps",
      "member_status=odd",
      "min_ram=-1",
    ]) {
      assert.throws(() => read(bad), refuses("INVALID"), bad);
    }
    assert.throws(
      () => read(Array.from({ length: 101 }, (_, n) => `p${n}=x`).join("&")),
      refuses("INVALID", "Too many"),
    );
  });
});
