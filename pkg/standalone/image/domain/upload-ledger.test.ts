import assert from "node:assert/strict";
import { KilonovaError } from "../../../kernel/index.js";
import { UploadLedger } from "./upload-ledger.js";

const over =
  (limit: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === "OVER_LIMIT" && error.facts["limit"] === limit;

describe("the ledger of uploads", () => {
  const ledger = (bytes = 100, uploads = 2): UploadLedger =>
    new UploadLedger({ imageSizeTotalBytes: bytes, imageCountUploading: uploads });
  const stored = (bytes: number) => () => Promise.resolve(bytes);

  it("counts what is stored, what arrives, and what the other uploads of the project have", async () => {
    const books = ledger();
    const [one, two] = [await books.begin("p", stored(40)), await books.begin("p", stored(40))];
    one.take(30);
    two.take(30);
    assert.throws(() => one.take(1), over("image_size_total"));
    two.end(false);
    one.take(30);
    assert.throws(() => one.foresee(1), over("image_size_total"));
  });

  it("goes on counting what was kept while others are under way", async () => {
    const books = ledger();
    const [one, two] = [await books.begin("p", stored(0)), await books.begin("p", stored(0))];
    one.take(60);
    one.end(true);
    one.end(false);
    assert.throws(() => two.take(41), over("image_size_total"));
    books.release("p", 60);
    two.take(100);
  });

  it("reads anew when nothing is under way", async () => {
    const books = ledger();
    (await books.begin("p", stored(99))).end(true);
    (await books.begin("p", stored(0))).take(100);
  });

  it("refuses at once when nothing fits, and tells each project apart", async () => {
    const books = ledger();
    await assert.rejects(books.begin("p", stored(100)), over("image_size_total"));
    (await books.begin("q", stored(0))).take(100);
    (await books.begin("p", stored(0))).take(100);
  });

  it("lets only so many begin, also while the first still reads", async () => {
    const books = ledger();
    const read: { done: (bytes: number) => void } = { done: () => {} };
    const slow = () => new Promise<number>((resolve) => (read.done = resolve));
    const two = [books.begin("p", slow), books.begin("p", slow)];
    await assert.rejects(books.begin("p", slow), over("image_count_uploading"));
    read.done(0);
    (await Promise.all(two))[0]?.end(true);
    (await books.begin("p", slow)).take(1);
  });

  it("frees nothing for an image that goes while the stored bytes are still being read: they come without it", async () => {
    const books = ledger();
    const read: { done: (bytes: number) => void } = { done: () => {} };
    const begun = books.begin("p", () => new Promise<number>((resolve) => (read.done = resolve)));
    books.release("p", 60);
    read.done(100);
    await assert.rejects(begun, over("image_size_total"));
  });

  it("tells a failed reading to all who wait, and reads again for the next", async () => {
    const books = ledger();
    const broken = (): Promise<number> => Promise.reject(new Error("no database"));
    await Promise.all([1, 2].map(() => assert.rejects(books.begin("p", broken), /no database/)));
    (await books.begin("p", stored(0))).take(100);
  });

  it("limits nothing at -1, and nothing of images without owner", async () => {
    const books = ledger(-1, -1);
    for (let i = 0; i < 10; i++) (await books.begin("p", stored(1e15))).take(1e15);
    (await ledger(0, 0).begin(null, stored(1))).take(1e15);
    await assert.rejects(ledger(0).begin("p", stored(0)), over("image_size_total"));
  });
});
