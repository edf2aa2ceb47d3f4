import assert from "node:assert/strict";
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { configDriveFiles } from "../../pkg/compute/guestdata/index.js";
import { someGuest } from "../../pkg/compute/guestdata/testing/some-guest.js";
import { plain } from "../../pkg/compute/drivers/host/command.js";
import { Isolation, isolationDefaults } from "../../pkg/compute/drivers/host/isolation.js";
import { runTool } from "../../pkg/compute/drivers/host/run-tool.js";
import { configDriveFormats, writeConfigDrive } from "../../pkg/compute/drivers/qemu/config-drive.js";
import type { ConfigDriveFormat } from "../../pkg/compute/drivers/qemu/config-drive.js";
import { rootCtx } from "../../pkg/kernel/index.js";

const ctx = rootCtx({ requestId: "req-test" });
const timeoutMs = 60_000;

describe("config drive image", () => {
  let dir: string;
  let isolation: Isolation;
  before(async () => {
    isolation = await Isolation.open(isolationDefaults);
  });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "config-drive-"));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const write = (files: ReadonlyMap<string, Uint8Array>, format: ConfigDriveFormat): Promise<void> =>
    writeConfigDrive(ctx, files, join(dir, "disk.config"), {
      run: runTool,
      xorriso: "xorriso",
      timeoutMs,
      format,
      isolation,
      user: isolation.uids?.take(dir),
    });

  const extract = {
    iso9660: async (to: string) => {
      await runTool(
        ctx,
        ["xorriso", "-osirrox", "on", "-indev", join(dir, "disk.config"), "-extract", "/", to],
        { timeoutMs, within: plain },
      );
      // The drive's folders are for reading only, and so would be what it is extracted to: in nobody's way
      // but of who tidies up.
      await runTool(ctx, ["chmod", "-R", "u+w", to], { timeoutMs, within: plain });
    },
    vfat: async (to: string) => {
      await runTool(ctx, ["mcopy", "-s", "-i", join(dir, "disk.config"), "::/", to], {
        timeoutMs,
        within: plain,
      });
    },
  };
  const label = {
    iso9660: async () => {
      const image = await open(join(dir, "disk.config"));
      const { buffer } = await image.read(Buffer.alloc(32), 0, 32, 32_808).finally(() => image.close());
      return buffer.toString("latin1").trim();
    },
    vfat: async () =>
      /config-2/i.exec(
        await runTool(ctx, ["mlabel", "-s", "-i", join(dir, "disk.config"), "::"], {
          timeoutMs,
          within: plain,
        }),
      )?.[0],
  };

  for (const format of configDriveFormats) {
    it(`holds every file as ${format}, for nobody else to read`, async () => {
      const files = configDriveFiles(
        someGuest({
          userData: Buffer.from("#!/bin/sh\n"),
          adminPass: "s3cret",
          files: [{ path: "/etc/motd", contents: Buffer.from("hello") }],
        }),
        new Uint8Array(512),
      );
      await write(files, format);
      assert.equal((await stat(join(dir, "disk.config"))).mode & 0o777, 0o600);
      assert.deepEqual(await readdir(dir), ["disk.config"]);
      assert.match((await label[format]()) ?? "", /^config-2$/i);
      const tree = join(dir, "tree");
      await mkdir(tree);
      await extract[format](tree);
      const found = (await readdir(tree, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => relative(tree, join(entry.parentPath, entry.name)));
      assert.deepEqual(found.sort(), [...files.keys()].sort());
      for (const [path, bytes] of files)
        assert.deepEqual(await readFile(join(tree, path)), Buffer.from(bytes), path);
    });
  }

  it("leaves nothing behind when there is no room", async () => {
    await assert.rejects(write(new Map([["openstack/big", Buffer.alloc(65 << 20)]]), "vfat"), {
      reason: "TOOL_FAILED",
    });
    assert.deepEqual(await readdir(dir), []);
  });

  it("refuses paths that lead out of the drive", async () => {
    await assert.rejects(write(new Map([["../x", Buffer.alloc(1)]]), "iso9660"), { reason: "TOOL_FAILED" });
    assert.deepEqual(await readdir(dir), []);
  });
});
