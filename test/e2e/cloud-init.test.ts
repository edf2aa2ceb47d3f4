import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { cloudInitImage } from "../../pkg/guestimage/testing/cloud-init-image.js";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { getJson, tokenOf } from "./support/identity.js";
import { OpenStackShell } from "./support/openstack-shell.js";
import { OpenStack } from "./support/openstack.js";

type Row = Record<string, unknown>;

const BOOT_MS = 420_000;
const kernelArguments = "root=/dev/vda console=ttyS0 quiet panic=1 no_timer_check mitigations=off";
const publicKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8Ii0n8kXtYtmFpzV6h0xRkF4mTqGYw2xV0b4iH3a1b user@example";
const userData = `#cloud-config
write_files:
  - path: /etc/told-by-write-files
    content: written by cloud-init
  - path: /root/post-password.py
    content: |
      import urllib.error, urllib.request
      def post(text):
          try:
              return urllib.request.urlopen("http://169.254.169.254/openstack/latest/password", text).status
          except urllib.error.HTTPError as error:
              return error.code
      def answered(text):
          codes = [post(text)]
          while codes[-1] == 504 and len(codes) < 10:
              codes.append(post(text))
          return codes
      print(*answered(b"c2VjcmV0"), "then", *answered(b"another"))
runcmd:
  - [sh, -c, 'echo "run by $(id -un) on $(hostname)" > /etc/told-by-runcmd']
  - [sh, -c, 'python3 /root/post-password.py > /etc/told-by-post-password']
`;
/**
 * What the operator's file tells all guests, and what the operator's service makes up for each; cloud-init
 * takes the key of its own name.
 */
const vendorData = {
  "cloud-init": "#cloud-config\nbootcmd: [[sh, -c, 'echo from the file > /etc/told-by-vendor-data']]\n",
};
const dynamicVendorData = (question: Row): string =>
  `#!/bin/sh\necho about ${String(question["hostname"])} > /etc/told-by-dynamic-vendor-data\n`;

/** Debian's own cloud-init at boot, in real guests that know nothing of Kilonova. */
describe("guests with Debian's cloud-init", function () {
  this.timeout(900_000);
  let cloud: Cloud;
  let demo: OpenStackShell;
  let vendorService: Server;
  const work = mkdtempSync(join(tmpdir(), "kilonova-cloud-init-"));
  const guests = [
    {
      name: "ci-drive",
      image: "debian",
      more: ["--use-config-drive", "--network", "static"],
      source: "ConfigDrive",
      result: /DataSourceConfigDrive \[net,ver=2\]\[source=\/dev\/vd[b-z]\]/,
      id: "uuid",
    },
    {
      name: "ci-http",
      image: "debian",
      more: [],
      source: "OpenStack",
      result: /DataSourceOpenStackLocal \[net,ver=2\]/,
      id: "uuid",
    },
    { name: "ci-ec2", image: "debian-ec2", more: [], source: "Ec2", result: /DataSourceEc2/, id: "ec2" },
  ] as const;
  const consoles = new Map<string, string>();
  const ids = new Map<string, string>();

  const idOf = async (...args: readonly string[]): Promise<string> =>
    String((await demo.json<Row>(...args))["id"]);
  /** By REST: starting the client again and again would take the time that the guests need. */
  const consoleOf = async (name: string): Promise<string> => {
    const answer = await fetch(
      `http://127.0.0.1:${cloud.port(8774)}/v2.1/servers/${ids.get(name) ?? ""}/action`,
      {
        method: "POST",
        headers: { "x-auth-token": await tokenOf(cloud, "demo"), "content-type": "application/json" },
        body: JSON.stringify({ "os-getConsoleOutput": {} }),
      },
    );
    return ((await answer.json()) as { output?: string }).output ?? "";
  };
  const upload = (name: string, format: string, file: string, ...more: string[]): Promise<string> =>
    idOf(
      "image",
      "create",
      "--disk-format",
      format,
      "--container-format",
      format.startsWith("a") ? format : "bare",
      "--file",
      file,
      ...more,
      name,
    );
  const statusOf = async (name: string): Promise<unknown> =>
    (
      await getJson<{ server: Row }>(
        `http://127.0.0.1:${cloud.port(8774)}/v2.1/servers/${ids.get(name) ?? ""}`,
        await tokenOf(cloud, "demo"),
      )
    ).server["status"];

  before(async () => {
    writeFileSync(join(work, "vendor-data.json"), JSON.stringify(vendorData));
    vendorService = createServer((request, response) => {
      void json(request).then((question) => response.end(JSON.stringify(dynamicVendorData(question as Row))));
    });
    await new Promise<void>((resolve) => {
      vendorService.listen(0, "127.0.0.1", resolve);
    });
    const image = await cloudInitImage();
    cloud = await Cloud.start({
      portOffset: 16_000,
      env: {
        KILONOVA_VENDORDATA_JSONFILE_PATH: join(work, "vendor-data.json"),
        KILONOVA_VENDORDATA_PROVIDERS: "[StaticJSON, DynamicJSON]",
        KILONOVA_VENDORDATA_DYNAMIC_TARGETS: `["cloud-init@http://127.0.0.1:${(vendorService.address() as AddressInfo).port}/"]`,
      },
    });
    demo = new OpenStackShell(cloud.credentials("demo"));
    writeFileSync(join(work, "user-data"), userData);
    writeFileSync(join(work, "key.pub"), `${publicKey}\n`);
    await demo.run("network", "create", "static");
    await demo.run(
      "subnet",
      "create",
      "--network",
      "static",
      "--no-dhcp",
      "--subnet-range",
      "10.99.0.0/24",
      "--gateway",
      "none",
      "--dns-nameserver",
      "10.99.0.53",
      "--host-route",
      "destination=10.98.0.0/16,gateway=10.99.0.9",
      "static-v4",
    );
    await demo.run(
      "subnet",
      "create",
      "--network",
      "static",
      "--ip-version",
      "6",
      "--no-dhcp",
      "--subnet-range",
      "fd99::/64",
      "--gateway",
      "none",
      "static-v6",
    );
    await demo.run("keypair", "create", "--public-key", join(work, "key.pub"), "ci-key");
    const kernel = await upload("kernel", "aki", image.kernelPath);
    const ramdisk = await upload("ramdisk", "ari", image.ramdiskPath);
    for (const name of ["debian", "debian-ec2"])
      await upload(
        name,
        "qcow2",
        image.qcow2Path,
        "--property",
        `kernel_id=${kernel}`,
        "--property",
        `ramdisk_id=${ramdisk}`,
      );
    // The client that stays takes no words with spaces.
    const property = new OpenStack(cloud, "demo");
    await Promise.all([
      property.run("image", "set", "--property", `os_command_line=${kernelArguments}`, "debian"),
      property.run(
        "image",
        "set",
        "--property",
        `os_command_line=${kernelArguments} ci.ds=Ec2`,
        "debian-ec2",
      ),
    ]);
    await Promise.all(
      guests.map(async ({ name, image: of, more }) => {
        ids.set(
          name,
          await idOf(
            "server",
            "create",
            "--image",
            of,
            "--flavor",
            "m1.small",
            "--network",
            "private",
            "--key-name",
            "ci-key",
            "--user-data",
            join(work, "user-data"),
            ...more,
            name,
          ),
        );
        await until(
          async () => {
            assert.notEqual(await statusOf(name), "ERROR");
            consoles.set(name, await consoleOf(name));
            return /BOOT-DONE/.test(consoles.get(name) ?? "");
          },
          { timeoutMs: BOOT_MS, everyMs: 2000, what: `the end of ${name}'s boot` },
        ).catch((error: unknown) => {
          throw new Error(`${String(error)}\n${(consoles.get(name) ?? "").slice(-3000)}`);
        });
      }),
    );
  });
  after(async () => {
    rmSync(work, { recursive: true, force: true });
    vendorService.close();
    if (!cloud) return;
    if (ids.size > 0) await demo.run("server", "delete", "--wait", ...ids.values()).catch(() => {});
    await demo.close();
    await cloud.stop();
    cloud.forget();
  });

  /** What the guest told under a name. */
  const told = (guest: string, name: string): string => {
    const line = new RegExp(`cloud-init-guest\\[[\\d.]+\\]: ${name}=(.*)`).exec(consoles.get(guest) ?? "");
    assert.ok(line, `${guest} did not tell ${name}:\n${(consoles.get(guest) ?? "").slice(-4000)}`);
    return line[1]?.trim() ?? "";
  };

  const addressesOf = async (name: string): Promise<ReadonlyMap<string, readonly string[]>> =>
    new Map(
      Object.entries(
        (await demo.json<{ addresses: Record<string, string[]> }>("server", "show", name)).addresses,
      ),
    );

  for (const { name, source, result, id } of guests) {
    it(`${name}: is found and applied by the ${source} data source, without an error`, () => {
      assert.match(told(name, "ds-identify"), new RegExp(`\\[ ${source}(, None)? \\]`));
      assert.match(told(name, "result"), result);
      assert.match(told(name, "result"), /"errors": \[\]/);
      assert.equal(told(name, "hostname"), name);
      assert.equal(told(name, "fqdn"), `${name}.novalocal`);
      assert.equal(told(name, "authorized_keys"), publicKey);
      assert.equal(told(name, "/etc/told-by-write-files"), "written by cloud-init");
      assert.equal(told(name, "/etc/told-by-runcmd"), `run by root on ${name}`);
      // Where this machine stands still for half a minute, what was stored is answered too late.
      assert.match(told(name, "/etc/told-by-post-password"), /^(200|(504 )+(200|409)) then (504 )*409$/);
      if (id === "uuid") assert.equal(told(name, "instance-id"), ids.get(name));
      else assert.match(told(name, "instance-id"), /^i-[0-9a-f]{8}$/);
    });

    it(`${name}: has the network that it was told of`, async () => {
      const [address] = (await addressesOf(name)).get("private") ?? [];
      assert.match(told(name, "interfaces"), /iface eth0 inet dhcp/);
      assert.ok(
        told(name, "addresses").includes(`eth0 inet ${address ?? "nothing"}/24`),
        told(name, "addresses"),
      );
      assert.match(told(name, "route"), /default via /);
    });
  }

  it("ci-drive: has addresses and routes also where no DHCP answers", async () => {
    const addresses = (await addressesOf("ci-drive")).get("static") ?? [];
    assert.equal(addresses.length, 2);
    assert.match(
      told("ci-drive", "interfaces"),
      /dns-nameservers 10\.99\.0\.53 .*iface eth1 inet static .*iface eth1 inet6 static/,
    );
    for (const address of addresses) {
      const wanted = address.includes(":") ? `eth1 inet6 ${address}/64` : `eth1 inet ${address}/24`;
      assert.ok(
        told("ci-drive", "addresses").includes(wanted),
        `${wanted}: ${told("ci-drive", "addresses")}`,
      );
    }
    assert.match(told("ci-drive", "route"), /10\.98\.0\.0\/16 via 10\.99\.0\.9 dev eth1/);
  });

  for (const name of ["ci-drive", "ci-http"]) {
    it(`${name}: does what the operator tells all guests, and each of them`, () => {
      assert.equal(told(name, "/etc/told-by-vendor-data"), "from the file");
      assert.equal(told(name, "/etc/told-by-dynamic-vendor-data"), `about ${name}`);
    });
  }

  it("gives the user the password that the guest posted, until it is cleared", async () => {
    const url = `http://127.0.0.1:${cloud.port(8774)}/v2.1/servers/${ids.get("ci-http") ?? ""}/os-server-password`;
    const token = await tokenOf(cloud, "demo");
    assert.deepEqual(await getJson(url, token), { password: "c2VjcmV0" });
    assert.equal((await fetch(url, { method: "DELETE", headers: { "x-auth-token": token } })).status, 204);
    assert.deepEqual(await getJson(url, token), { password: "" });
  });
});
