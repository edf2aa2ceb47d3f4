import assert from "node:assert/strict";
import { secretBox } from "./secret-box.js";

const key = (id: string, byte: number) => ({ id, key: Buffer.alloc(32, byte) });

describe("secretBox", () => {
  const sealed = secretBox([key("old", 1)]).seal(Buffer.from("secret"), "op-1");
  it("opens what it sealed, also after the key was replaced", () =>
    assert.equal(
      secretBox([key("new", 2), key("old", 1)])
        .open(sealed, "op-1")
        .toString(),
      "secret",
    ));
  it("shows nothing of the secret", () => assert.equal(sealed.includes("secret"), false));
  it("seals the same secret differently each time", () =>
    assert.notDeepEqual(secretBox([key("old", 1)]).seal(Buffer.from("secret"), "op-1"), sealed));
  it("refuses another owner", () => assert.throws(() => secretBox([key("old", 1)]).open(sealed, "op-2")));
  it("refuses changed bytes", () => {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
    assert.throws(() => secretBox([key("old", 1)]).open(changed, "op-1"));
  });
  it("names a key that it lacks", () =>
    assert.throws(() => secretBox([key("new", 2)]).open(sealed, "op-1"), { reason: "SECRET_KEY_UNKNOWN" }));
});
