import assert from "node:assert/strict";
import { buildMetadataTree, configDriveFiles, ec2IdsFor } from "./index.js";
import { someGuest } from "./testing/some-guest.js";

const seed = new Uint8Array(512).fill(7);
const utf8 = new TextEncoder();
const read = (tree: ReadonlyMap<string, Uint8Array>, path: string): string | undefined => {
  const found = tree.get(path);
  return found === undefined ? undefined : new TextDecoder().decode(found);
};
const readJson = (tree: ReadonlyMap<string, Uint8Array>, path: string): Record<string, unknown> => {
  const text = read(tree, path);
  assert.ok(text !== undefined, `nothing at ${path}`);
  return JSON.parse(text) as Record<string, unknown>;
};

describe("metadata tree", () => {
  it("lists EC2 versions at the root and OpenStack's own below /openstack", () => {
    const tree = buildMetadataTree(someGuest(), seed);
    assert.match(read(tree, "") ?? "", /^1\.0\n2007-01-19\n[^]*2009-04-04\nlatest$/);
    assert.match(read(tree, "/openstack") ?? "", /^2012-08-10\n[^]*2020-10-14\n2025-04-04\nlatest$/);
  });

  it("adds documents with the versions that brought them", () => {
    const tree = buildMetadataTree(someGuest({ userData: utf8.encode("#!/bin/sh\n") }), seed);
    assert.equal(read(tree, "/openstack/2012-08-10"), "meta_data.json\nuser_data");
    assert.equal(read(tree, "/openstack/2013-04-04"), "meta_data.json\nuser_data\npassword");
    assert.equal(
      read(tree, "/openstack/2013-10-17"),
      "meta_data.json\nuser_data\npassword\nvendor_data.json",
    );
    assert.equal(
      read(tree, "/openstack/2015-10-15"),
      "meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json",
    );
    assert.equal(
      read(tree, "/openstack/latest"),
      "meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json\nvendor_data2.json",
    );
    assert.equal(tree.has("/openstack/2012-08-10/password"), false);
  });

  it("adds fields of meta_data.json with the versions that brought them", () => {
    const tree = buildMetadataTree(someGuest(), seed);
    const oldest = [
      "availability_zone",
      "hostname",
      "keys",
      "launch_index",
      "meta",
      "name",
      "public_keys",
      "uuid",
    ];
    const keysAt = (v: string): string[] =>
      Object.keys(readJson(tree, `/openstack/${v}/meta_data.json`)).sort();
    assert.deepEqual(keysAt("2012-08-10"), oldest);
    assert.deepEqual(keysAt("2013-04-04"), [...oldest, "random_seed"].sort());
    assert.deepEqual(keysAt("2015-10-15"), [...oldest, "random_seed", "project_id"].sort());
    assert.deepEqual(keysAt("2016-06-30"), [...oldest, "random_seed", "project_id", "devices"].sort());
    assert.deepEqual(
      keysAt("latest"),
      [...oldest, "random_seed", "project_id", "devices", "dedicated_cpus"].sort(),
    );
    const latest = readJson(tree, "/openstack/latest/meta_data.json");
    assert.equal(latest["hostname"], "web-1.novalocal");
    assert.equal(Buffer.from(String(latest["random_seed"]), "base64").length, 512);
    assert.deepEqual(latest["public_keys"], { mykey: "ssh-ed25519 AAAA me" });
  });

  it("answers nothing at user_data when there is none, and a bare host name without a domain", () => {
    const tree = buildMetadataTree(someGuest({ domain: "" }), seed);
    assert.equal(tree.has("/openstack/latest/user_data"), false);
    assert.equal(tree.has("/latest/user-data"), false);
    assert.equal(read(tree, "/latest"), "meta-data/");
    assert.equal(readJson(tree, "/openstack/latest/meta_data.json")["hostname"], "web-1");
  });

  it("shows tagged devices by version", () => {
    const devices = [
      {
        type: "nic",
        bus: "pci",
        address: "0000:00:02.0",
        tags: ["mgmt"],
        mac: "fa:16:3e:00:00:01",
        vlan: 7,
        vfTrusted: true,
      },
      { type: "nic", bus: "none", address: "none", tags: [], mac: "fa:16:3e:00:00:02" },
      { type: "disk", bus: "pci", address: "0000:00:03.0", tags: ["db"], serial: "s", path: "/dev/vdb" },
      { type: "share", bus: "none", address: "none", tags: [], shareId: "s1", mountTag: "data" },
    ] as const;
    const at = (v: string): unknown =>
      readJson(buildMetadataTree(someGuest({ devices }), seed), `/openstack/${v}/meta_data.json`)["devices"];
    const nic = {
      type: "nic",
      bus: "pci",
      address: "0000:00:02.0",
      tags: ["mgmt"],
      mac: "fa:16:3e:00:00:01",
    };
    const disk = {
      type: "disk",
      bus: "pci",
      address: "0000:00:03.0",
      tags: ["db"],
      serial: "s",
      path: "/dev/vdb",
    };
    const bare = { type: "nic", bus: "none", address: "none", mac: "fa:16:3e:00:00:02", vf_trusted: false };
    assert.deepEqual(at("2016-06-30"), [nic, disk]);
    assert.deepEqual(at("2017-02-22"), [{ ...nic, vlan: 7 }, disk]);
    assert.deepEqual(at("2018-08-27"), [{ ...nic, vlan: 7, vf_trusted: true }, bare, disk]);
    assert.deepEqual((at("latest") as unknown[]).at(-1), {
      type: "share",
      bus: "none",
      address: "none",
      share_id: "s1",
      tag: "data",
    });
  });

  it("keeps metadata keys that collide with JavaScript's own", () => {
    const tree = buildMetadataTree(
      someGuest({
        metadata: new Map([
          ["__proto__", "x"],
          ["constructor", "y"],
        ]),
      }),
      seed,
    );
    assert.match(
      read(tree, "/openstack/latest/meta_data.json") ?? "",
      /"meta":\{"__proto__":"x","constructor":"y"\}/,
    );
  });

  it("never tells the admin password over the network, and does on the config drive", () => {
    const data = someGuest({ adminPass: "s3cret-word" });
    for (const [path, body] of buildMetadataTree(data, seed))
      assert.ok(!Buffer.from(body).includes("s3cret-word"), path);
    const drive = configDriveFiles(data, seed);
    assert.equal(readJson(drive, "openstack/2012-08-10/meta_data.json")["admin_pass"], "s3cret-word");
  });

  it("holds injected files under numbers that meta_data.json names", () => {
    const data = someGuest({
      files: [
        { path: "/etc/a", contents: utf8.encode("A") },
        { path: "/etc/b", contents: utf8.encode("B") },
      ],
    });
    const tree = buildMetadataTree(data, seed);
    assert.deepEqual(readJson(tree, "/openstack/latest/meta_data.json")["files"], [
      { path: "/etc/a", content_path: "/content/0000" },
      { path: "/etc/b", content_path: "/content/0001" },
    ]);
    assert.equal(read(tree, "/openstack/content/0001"), "B");
    assert.equal(read(configDriveFiles(data, seed), "openstack/content/0000"), "A");
  });

  it("shows vendor data in both shapes", () => {
    const tree = buildMetadataTree(
      someGuest({ vendorData: { a: 1 }, dynamicVendorData: new Map([["join", { token: "t" }]]) }),
      seed,
    );
    assert.deepEqual(readJson(tree, "/openstack/latest/vendor_data.json"), { a: 1 });
    assert.deepEqual(readJson(tree, "/openstack/latest/vendor_data2.json"), {
      static: { a: 1 },
      join: { token: "t" },
    });
    const { vendorData: _, ...without } = someGuest({ dynamicVendorData: new Map([["static", 1]]) });
    const off = buildMetadataTree(without, seed);
    assert.equal(off.has("/openstack/latest/vendor_data.json"), false);
    assert.deepEqual(readJson(off, "/openstack/latest/vendor_data2.json"), { static: 1 });
  });
});

describe("EC2 metadata", () => {
  it("grows with its versions", () => {
    const tree = buildMetadataTree(someGuest(), seed);
    assert.equal(
      read(tree, "/1.0/meta-data"),
      "ami-id\nami-launch-index\nami-manifest-path\nhostname\ninstance-id\nlocal-ipv4\npublic-keys/\nreservation-id\nsecurity-groups",
    );
    assert.match(
      read(tree, "/2007-01-19/meta-data") ?? "",
      /local-hostname\nlocal-ipv4\npublic-hostname\npublic-ipv4/,
    );
    assert.equal(tree.has("/2007-03-01/meta-data/instance-type"), false);
    assert.equal(read(tree, "/2007-08-29/meta-data/instance-type"), "m1.tiny");
    assert.equal(read(tree, "/2007-12-15/meta-data/block-device-mapping"), "ami\nroot");
    assert.equal(read(tree, "/2008-02-01/meta-data/placement/availability-zone"), "az1");
    assert.equal(tree.has("/2008-02-01/meta-data/instance-action"), false);
    assert.equal(read(tree, "/latest/meta-data/instance-action"), "none");
  });

  it("is found below /ec2 too", () => {
    const tree = buildMetadataTree(someGuest(), seed);
    for (const path of ["", "/2007-12-15", "/latest/meta-data/public-keys/0/openssh-key"])
      assert.equal(read(tree, `/ec2${path}`), read(tree, path));
  });

  it("renders keys and groups in EC2's odd ways", () => {
    const tree = buildMetadataTree(someGuest(), seed);
    assert.equal(read(tree, "/latest/meta-data/public-keys"), "0=mykey");
    assert.equal(read(tree, "/latest/meta-data/public-keys/0"), "openssh-key");
    assert.equal(read(tree, "/latest/meta-data/public-keys/0/openssh-key"), "ssh-ed25519 AAAA me");
    assert.equal(read(tree, "/latest/meta-data/security-groups"), "default\nweb");
    assert.equal(read(tree, "/latest/meta-data/local-ipv4"), "10.0.0.5");
    assert.equal(
      buildMetadataTree(someGuest({ keys: [] }), seed).has("/latest/meta-data/public-keys"),
      false,
    );
  });

  it("derives identifiers", () => {
    assert.deepEqual(ec2IdsFor({ instanceNumber: 42, imageId: "0a1b2c3d-0000-4000-8000-000000000000" }), {
      instanceId: "i-0000002a",
      imageId: "ami-0a1b2c3d",
    });
  });
});

describe("config drive files", () => {
  it("holds the newest EC2 tree and every OpenStack version, without password", () => {
    const paths = [...configDriveFiles(someGuest({ userData: utf8.encode("x") }), seed).keys()];
    assert.deepEqual(
      paths.filter((p) => p.startsWith("ec2/")),
      [
        "ec2/2009-04-04/meta-data.json",
        "ec2/2009-04-04/user-data",
        "ec2/latest/meta-data.json",
        "ec2/latest/user-data",
      ],
    );
    assert.ok(paths.includes("openstack/latest/network_data.json"));
    assert.ok(paths.includes("openstack/2012-08-10/user_data"));
    assert.equal(
      paths.some((p) => p.endsWith("/password")),
      false,
    );
  });
});
