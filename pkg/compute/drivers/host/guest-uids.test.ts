import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError } from "../../../kernel/index.js";
import { GuestUids } from "./guest-uids.js";

const ALL = "         0          0 4294967295\n";
const refused =
  (reason: string) =>
  (e: unknown): boolean =>
    e instanceof KilonovaError && e.reason === reason;

describe("users of guests", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-uids-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const open = (count = 50, first = 5000): GuestUids => GuestUids.open(dir, { first, count }, ALL);

  it("are each one guest's, of whichever agent, and the same when asked again", () => {
    const [one, two] = [open(), open()];
    const given = Array.from({ length: 50 }, (_, i) => (i % 2 ? one : two).take(`/guests/${i}`).uid);
    assert.equal(new Set(given).size, 50);
    assert.ok(given.every((uid) => uid >= 5000 && uid < 5050));
    assert.deepEqual(
      given,
      given.map((uid, i) => one.take(`/guests/${i}`, uid).uid),
    );
    assert.throws(() => one.take("/guests/one-more"), refused("UIDS_EXHAUSTED"));
  });

  it("are given again only once they are given back, by their owner", () => {
    const uids = open(1);
    const { uid } = uids.take("/guests/a");
    uids.release("/guests/b", uid);
    assert.throws(() => uids.take("/guests/b"), refused("UIDS_EXHAUSTED"));
    uids.release("/guests/a", uid);
    assert.equal(uids.take("/guests/b").uid, uid);
  });

  it("are given back by whoever owns some, without saying which", () => {
    const uids = open(3);
    const others = uids.take("/guests/b").uid;
    for (const uid of [5000, 5001, 5002]) if (uid !== others) uids.take("/guests/a", uid);
    uids.releaseAll("/guests/a");
    const again = [uids.take("/guests/c").uid, uids.take("/guests/d").uid];
    assert.equal(new Set([...again, others]).size, 3);
    assert.throws(() => uids.take("/guests/e"), refused("UIDS_EXHAUSTED"));
  });

  it("change when another guest has the one that was wanted, or it is outside of the range", () => {
    const uids = open();
    const { uid } = uids.take("/guests/a");
    assert.notEqual(uids.take("/guests/b", uid).uid, uid);
    assert.notEqual(uids.take("/guests/c", 7).uid, 7);
  });

  it("come back from guests that are none any more, but not from other agents' guests", () => {
    const uids = open();
    const [gone, kept, others] = ["/one/gone", "/one/kept", "/one-more/guest"].map((o) => uids.take(o).uid);
    uids.forget("/one", (owner) => owner === "/one/kept");
    const next = open();
    assert.equal(next.take("/two/x", gone).uid, gone);
    assert.notEqual(next.take("/two/y", kept).uid, kept);
    assert.notEqual(next.take("/two/z", others).uid, others);
  });

  it("are chosen where the user namespace has them, and refused where it has not", () => {
    const few = "0 100000 65536\n";
    assert.equal(GuestUids.open(dir, { first: 0, count: 10 }, ALL).first, 1_900_000_000);
    assert.equal(GuestUids.open(dir, { first: 0, count: 10 }, few).first, 40_000);
    assert.throws(() => GuestUids.open(dir, { first: 65_530, count: 10 }, few), refused("UIDS_UNUSABLE"));
    assert.throws(() => GuestUids.open(dir, { first: 0, count: 10 }, "0 1000 1\n"), refused("UIDS_UNUSABLE"));
  });
});
