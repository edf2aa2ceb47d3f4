import assert from "node:assert/strict";
import { nextDeviceName } from "./device-names.js";

describe("names of disks", () => {
  const found = (name: string) => ({ kind: "found", name });
  it("are the first that is free, behind the root disk's prefix", () => {
    assert.deepEqual(nextDeviceName("", [], "", -1), found("/dev/vda"));
    assert.deepEqual(nextDeviceName("", ["/dev/vda", "/dev/vdc"], "/dev/vda", -1), found("/dev/vdb"));
    assert.deepEqual(nextDeviceName("", ["/dev/sda1"], "/dev/sda", -1), found("/dev/sdb"));
    const all = [..."abcdefghijklmnopqrstuvwxyz"].map((letter) => `/dev/vd${letter}`);
    assert.deepEqual(nextDeviceName("", all, "", -1), found("/dev/vdaa"));
  });

  it("are what was asked for, when it is free", () => {
    assert.deepEqual(nextDeviceName("/dev/vdx", ["/dev/vda"], "", -1), found("/dev/vdx"));
    assert.deepEqual(nextDeviceName("/dev/sdc", ["/dev/vda"], "/dev/vda", -1), found("/dev/vdc"));
    assert.deepEqual(nextDeviceName("/dev/vda", ["/dev/vda"], "", -1), { kind: "in-use" });
  });

  it("end at the limit", () => {
    assert.deepEqual(nextDeviceName("", ["/dev/vda", "/dev/vdb"], "", 2), { kind: "too-many" });
    assert.deepEqual(nextDeviceName("", ["/dev/vda"], "", 2), found("/dev/vdb"));
  });
});
