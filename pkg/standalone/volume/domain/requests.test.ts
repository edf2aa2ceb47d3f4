import assert from "node:assert/strict";
import { KilonovaError } from "../../../kernel/index.js";
import { demandFits, qemuFormat } from "./image-rules.js";
import { readListing } from "./listing.js";
import type { ListingSpec } from "./listing.js";
import { demandMinor, readMinor } from "./microversion.js";
import { GIB, allowsMultiattach } from "./model.js";

const reason =
  (name: string, text = /./) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name && text.test(error.message);

describe("versions of requests", () => {
  it("are read out of what is said to all services", () => {
    const read = (header: string | undefined): number => readMinor(header);
    assert.deepEqual(
      [read(undefined), read("volume 3.44"), read("compute 2.90, volume 3.1"), read("volume latest")],
      [0, 44, 1, 68],
    );
    assert.equal(read("compute 2.90"), 0);
  });

  it("are refused beyond what there is, and when they are none", () => {
    for (const version of ["3.69", "2.0", "4.0"])
      assert.throws(() => readMinor(`volume ${version}`), reason("VERSION_OUT_OF_RANGE"));
    for (const version of ["3", "x", "3.04", "3.-1"])
      assert.throws(() => readMinor(`volume ${version}`), reason("VERSION_MALFORMED"));
    assert.throws(() => demandMinor(26, 27), reason("VERSION_NOT_ON_METHOD", /3\.26/));
    assert.doesNotThrow(() => demandMinor(27, 27));
  });
});

describe("lists of volumes", () => {
  const spec: ListingSpec = {
    filters: { name: "name" },
    flags: ["bootable"],
    sortable: { name: "name", size: "size_gib" },
    metadata: true,
  };
  const read = (text: string, admin = false, minor = 68) => {
    const query = new Map<string, string[]>();
    for (const [name, value] of new URLSearchParams(text))
      query.set(name, [...(query.get(name) ?? []), value]);
    return readListing(query, spec, { minor, admin });
  };

  it("are filtered by what is known, and by nothing else", () => {
    assert.deepEqual(read("name=a&bootable=True&color=red").filters, [
      { column: "name", value: "a" },
      { column: "bootable", value: true },
    ]);
    assert.deepEqual(read(`metadata=${encodeURIComponent("{'a': 'b'}")}`).metadata, { a: "b" });
    assert.deepEqual(read(`metadata=${encodeURIComponent('{"a": 1}')}`).metadata, { a: "1" });
    assert.throws(() => read("metadata=x"), reason("INVALID_INPUT", /metadata/));
    assert.throws(() => read("bootable=maybe"), reason("INVALID_INPUT", /bootable/));
  });

  it("are of all projects for administrators only", () => {
    assert.deepEqual(
      [read("all_tenants=1").everywhere, read("all_tenants=1", true).everywhere],
      [false, true],
    );
    assert.equal(read("all_tenants=0", true).everywhere, false);
    assert.deepEqual(
      [read("project_id=p").projectId, read("project_id=p", true).projectId],
      [undefined, "p"],
    );
  });

  it("have a total order, a bound, and a count where the version has one", () => {
    assert.deepEqual(read("").sort, [
      { column: "created_at", descending: true },
      { column: "id", descending: true },
    ]);
    assert.deepEqual(read("sort=size:asc,name").sort.slice(0, 2), [
      { column: "size_gib", descending: false },
      { column: "name", descending: true },
    ]);
    assert.deepEqual(read("sort_key=name&sort_dir=asc").sort[0], { column: "name", descending: false });
    assert.deepEqual([read("limit=5000").limit, read("").limit, read("limit=0").limit], [1_000, 1_000, 0]);
    assert.deepEqual(
      [read("with_count=true").counted, read("with_count=true", false, 44).counted],
      [true, false],
    );
    assert.throws(() => read("sort=color"), reason("INVALID_INPUT", /Invalid sort key/));
    assert.throws(() => read("sort=name:up"), reason("INVALID_INPUT", /sort direction/));
    assert.throws(() => read("sort=name&sort_key=name"), reason("INVALID_INPUT"));
    assert.throws(() => read("limit=x"), reason("INVALID_INPUT", /limit/));
    assert.throws(() => read("offset=-1"), reason("INVALID_INPUT", /offset/));
  });

  it("are sorted by each column once, however often it is named", () => {
    const columns = read(`sort=${"size:asc,name:asc,size:desc,".repeat(500)}name`).sort;
    assert.deepEqual(
      columns.map(({ column, descending }) => `${column} ${descending}`),
      ["size_gib false", "name false", "created_at false", "id false"],
    );
  });
});

describe("images as sources of volumes", () => {
  const image = {
    id: "i",
    active: true,
    diskFormat: "qcow2",
    size: 10,
    virtualSize: 2 * GIB,
    minDisk: 1,
  };

  it("must fit, be whole, and have a format that is known", () => {
    assert.doesNotThrow(() => demandFits(image, 2));
    assert.throws(() => demandFits(image, 1), reason("INVALID_INPUT", /2GB is larger than volume size 1GB/));
    assert.throws(() => demandFits({ ...image, minDisk: 3 }, 2), reason("INVALID_INPUT", /minDisk size 3GB/));
    assert.throws(() => demandFits({ ...image, active: false }, 2), reason("INVALID_INPUT", /not active/));
    assert.throws(() => demandFits({ ...image, diskFormat: "aki" }, 2), reason("IMAGE_UNACCEPTABLE"));
    assert.throws(() => demandFits({ ...image, diskFormat: null }, 2), reason("IMAGE_UNACCEPTABLE"));
  });

  it("are called by QEMU's names of their formats", () => {
    const name = (diskFormat: string): string => qemuFormat({ id: "i", diskFormat });
    assert.deepEqual([name("raw"), name("iso"), name("vhd"), name("qcow2")], ["raw", "raw", "vpc", "qcow2"]);
  });
});

describe("types of volumes", () => {
  it("allow several servers when their extra specs say so", () => {
    assert.deepEqual(
      [allowsMultiattach({ multiattach: "<is> True" }), allowsMultiattach({ multiattach: "True" })],
      [true, false],
    );
    assert.equal(allowsMultiattach({}), false);
  });
});
