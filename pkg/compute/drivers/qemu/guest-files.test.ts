import assert from "node:assert/strict";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testCtx } from "../../../testkit/ctx.js";
import { aGuestSpec } from "../testing/a-spec.js";
import { toDefinition } from "./definition.js";
import { GuestFiles } from "./guest-files.js";
import { readRunRecord, stoppedRecord } from "./run-record.js";

describe("files of QEMU's guests", () => {
  let dir: string;
  let files: GuestFiles;
  const { log } = testCtx();
  const [one, two] = [aGuestSpec(), aGuestSpec()];
  const pathOf = (uuid: string): string => join(dir, uuid, "instance.json");

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-guest-files-"));
    files = new GuestFiles(dir, join(dir, "run"));
    for (const spec of [one, two]) {
      const paths = files.paths(spec.instanceUuid);
      await files.makeFolder(paths, undefined);
      await files.commit(paths, toDefinition(spec, "pc-q35-7.2"));
    }
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("gives all definitions, and passes over folders that never were a guest", async () => {
    rmSync(pathOf(two.instanceUuid));
    const { definitions, spoiled } = await files.load(log);
    assert.deepEqual([definitions.map(({ spec }) => spec.instanceUuid), spoiled], [[one.instanceUuid], []]);
    assert.deepEqual(await files.unfinished(), [two.instanceUuid]);
  });

  it("puts a socket of the guest's making in its place, and nothing else that it makes", async () => {
    const paths = files.paths(one.instanceUuid);
    mkdirSync(paths.socketDir, { recursive: true });
    const place = join(paths.socketDir, "port-p");
    const server = createServer();
    await files.addSocket(paths, place, undefined, async (path) => {
      server.listen(path);
      await once(server, "listening");
    });
    assert.ok(lstatSync(place).isSocket());
    await new Promise((resolve) => server.close(resolve));
    const other = join(paths.socketDir, "port-q");
    await assert.rejects(
      files.addSocket(paths, other, undefined, async (path) => symlinkSync(place, path)),
      /something else than a socket/,
    );
    await assert.rejects(
      files.addSocket(paths, other, undefined, async (path) => {
        writeFileSync(path, "");
        writeFileSync(`${path}2`, "");
      }),
      /something else than a socket/,
    );
    assert.ok(!existsSync(other));
  });

  it("tells a spoiled definition from one that is not there, and leaves it alone", async () => {
    writeFileSync(pathOf(two.instanceUuid), "{");
    const { definitions, spoiled } = await files.load(log);
    assert.deepEqual([definitions.length, spoiled], [1, [two.instanceUuid]]);
    assert.equal(readFileSync(pathOf(two.instanceUuid), "utf8"), "{");
  });

  it("stops the agent when one cannot be read", async () => {
    rmSync(pathOf(two.instanceUuid));
    mkdirSync(pathOf(two.instanceUuid));
    await assert.rejects(files.load(log), { reason: "DEFINITIONS_UNREADABLE", message: /EISDIR/ });
  });

  it("keeps what a later version has added to a definition, at every depth", async () => {
    const paths = files.paths(one.instanceUuid);
    const stored = JSON.parse(readFileSync(paths.definition, "utf8")) as { spec: { hardware: object } };
    const { spec } = stored;
    const hardware = { ...spec.hardware, tpm: "2.0" };
    const newer = { ...stored, sealed: true, spec: { ...spec, numa: [{ cell: 0 }], hardware } };
    writeFileSync(paths.definition, JSON.stringify(newer));
    const { definitions } = await files.load(log);
    const read = definitions.find((found) => found.spec.instanceUuid === one.instanceUuid) ?? assert.fail();
    await files.commit(paths, { ...read, uid: 4711 });
    assert.deepEqual(JSON.parse(readFileSync(paths.definition, "utf8")), { ...newer, uid: 4711 });
  });

  it("takes no run record for stopped because it cannot be read", async () => {
    const path = files.paths(one.instanceUuid).runRecord;
    assert.deepEqual(await readRunRecord(path, log), stoppedRecord);
    mkdirSync(path);
    await assert.rejects(readRunRecord(path, log), { code: "EISDIR" });
  });
});
