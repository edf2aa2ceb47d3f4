import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { configDriveFiles } from "../../pkg/compute/guestdata/index.js";
import { someGuest } from "../../pkg/compute/guestdata/testing/some-guest.js";
import { buildGuestImage } from "../../pkg/guestimage/index.js";
import type { TestGuest } from "../../pkg/guestimage/testing/guest.js";
import { startGuest } from "../../pkg/guestimage/testing/guest.js";
import { testGuestImage } from "../../pkg/guestimage/testing/test-image.js";
import { rootCtx, silentLogger } from "../../pkg/kernel/index.js";

describe("guest image, booted", function () {
  this.timeout(300_000);
  let dir: string;
  let guest: TestGuest | undefined;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "guest-"));
  });
  afterEach(async () => {
    await guest?.kill();
  });
  after(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample one@example";
  const configDrive = configDriveFiles(
    someGuest({
      hostname: "web-1",
      keys: [{ name: "mykey", type: "ssh", data: `${key}\n` }],
      adminPass: 's3cret "quoted"',
      userData: Buffer.from("#!/bin/sh\necho from-user-data $((6 * 7))\n"),
    }),
    randomBytes(512),
  );

  it("configures itself from a config drive and powers off at the button", async () => {
    const { qcow2Path } = await testGuestImage();
    guest = await startGuest({
      dir,
      qcow2Path,
      configDrive,
      nics: [{ mac: "fa:16:3e:00:00:01", socketPath: join(dir, "nic.sock") }],
    });
    await guest.waitFor(/BOOT-DONE/);
    const text = guest.console();
    assert.match(text, /guest\[\d+\.\d+\]: config drive \/dev\/sr0 \(iso9660\)/);
    assert.match(text, /metadata source=configdrive uuid=6c1bc2d2-\S+ hostname=web-1\.novalocal/);
    assert.ok(text.includes(`authorized key: ${key}`));
    assert.match(text, /admin password set/);
    assert.match(text, /net: eth0 10\.0\.0\.5\/24 gw 10\.0\.0\.1 \(static\)/);
    assert.match(text, /from-user-data 42/);
    assert.match(text, /user data ended status=0/);
    assert.match(text, /boots=1/);
    assert.match(text, /hostname web-1\r\n/);
    assert.match(text, /ssh server ready/);

    assert.equal((await guest.shell("cat /root/.ssh/authorized_keys")).output, key);
    const hash = (await guest.shell("awk -F: '/^root/ { print $2 }' /etc/shadow")).output;
    assert.match(hash, /^\$6\$/);
    const salt = hash.split("$")[2] ?? "";
    assert.equal((await guest.shell(`mkpasswd -m sha512 -S '${salt}' 's3cret "quoted"'`)).output, hash);
    assert.match(
      (await guest.shell("ip route")).output,
      /default via 10\.0\.0\.1 dev eth0[^]*10\.9\.0\.0\/16 via 10\.0\.0\.9 dev eth0/,
    );
    assert.equal((await guest.shell("false")).status, 1);

    await guest.qmp("system_powerdown");
    await guest.exited;
    assert.match(guest.console(), /power button pressed/);
  });

  it("is not built again while nothing has changed", async () => {
    const image = await testGuestImage();
    const outDir = dirname(dirname(image.qcow2Path));
    const steps: string[] = [];
    const again = await buildGuestImage(rootCtx({ requestId: "req-test" }), {
      outDir,
      cacheDir: join(dir, "empty"),
      log: silentLogger,
      onProgress: (step) => steps.push(step),
    });
    assert.deepEqual(again, image);
    assert.deepEqual(steps, []);
  });

  it("counts its boots on the disk", async () => {
    const { qcow2Path } = await testGuestImage();
    guest = await startGuest({ dir, qcow2Path });
    await guest.waitFor(/BOOT-DONE/);
    assert.match(guest.console(), /boots=2/);
    assert.match(guest.console(), /metadata source=none/);
  });
});
