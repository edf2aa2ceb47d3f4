import assert from "node:assert/strict";
import { decodePageToken, encodePageToken, sealedPaging } from "./page-tokens.js";
import { tokenBox } from "./token-box.js";
import type { TokenKey } from "./token-box.js";

const key = (id: string, fill: number): TokenKey => ({ id, key: Buffer.alloc(32, fill) });
const box = tokenBox([key("a", 1)]);
const refused = { reason: "BAD_PAGE_TOKEN" };

describe("tokens", () => {
  it("survive any text and hide it", () => {
    const values = ["\u0000n", "ä\u{1f600}", "cell1"];
    const token = encodePageToken(box, "q", values);
    assert.deepEqual(decodePageToken(box, "q", token), values);
    assert.doesNotMatch(Buffer.from(token.slice(2), "base64url").toString("latin1"), /cell1/);
    assert.match(token, /^[A-Za-z0-9_.-]+$/);
  });

  it("are refused when made up, changed, cut, longer, of another version, question or purpose", () => {
    const token = encodePageToken(box, "q", ["x"]);
    const bytes = Buffer.from(token.slice(2), "base64url");
    const changed = [...bytes.keys()].map((at) => {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 1;
      return `2.${copy.toString("base64url")}`;
    });
    const cut = [...bytes.keys()].map((at) => `2.${bytes.subarray(0, at).toString("base64url")}`);
    const plain = `1.${Buffer.from(JSON.stringify(["q", "x"])).toString("base64url")}`;
    const longer = [`${token}x`, `${token}.x`, ` ${token}`, `${token}=`];
    for (const text of [
      ...changed,
      ...cut,
      ...longer,
      plain,
      token.replace("2.", "3."),
      "2.",
      "2",
      "",
      "abc",
    ])
      assert.throws(() => decodePageToken(box, "q", text), refused, text);
    assert.throws(() => decodePageToken(box, "other", token), refused);
    assert.throws(() => box.open("resume", "q", token), { ...refused, message: /^The resume token is not/ });
  });

  it("are good in every process that has the key, also after a newer one came in front", () => {
    const token = encodePageToken(box, "q", ["x"]);
    assert.deepEqual(decodePageToken(tokenBox([key("a", 1)]), "q", token), ["x"]);
    assert.deepEqual(decodePageToken(tokenBox([key("b", 2), key("a", 1)]), "q", token), ["x"]);
    assert.throws(() => decodePageToken(tokenBox([key("b", 2)]), "q", token), refused);
    assert.throws(() => decodePageToken(tokenBox([key("a", 9)]), "q", token), refused);
  });

  it("never repeat a nonce, in one process or two", () => {
    const other = tokenBox([key("a", 1)]);
    const heads = [box, other].flatMap((one) =>
      Array.from({ length: 50 }, () =>
        Buffer.from(one.seal("page", "q", "same").slice(2), "base64url")
          .subarray(0, 26)
          .toString("hex"),
      ),
    );
    assert.equal(new Set(heads).size, heads.length);
  });

  it("wrap the tokens of stores that page by themselves", () => {
    const pages = sealedPaging(box, ["flavors", "p1"]);
    assert.equal(pages.open(pages.seal("m1.tiny")), "m1.tiny");
    assert.deepEqual([pages.open(""), pages.seal("")], ["", ""]);
    const theirs = sealedPaging(box, ["flavors", "p2"]);
    assert.throws(() => theirs.open(pages.seal("m1.tiny")), refused);
    assert.throws(() => pages.open("m1.tiny"), refused);
  });
});
