import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../pkg/testkit/until.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { cgroupsOf, kilonovaStatus, namespaceOf, procStatus, seenBy, tryAs } from "./support/cage.js";
import { Cloud } from "./support/cloud.js";
import { OpenStackShell } from "./support/openstack-shell.js";
import { OpenStack } from "./support/openstack.js";
import { filesNaming, qemuProcesses } from "./support/traces.js";

type Row = Record<string, unknown>;
interface Server extends Row {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly addresses: Record<string, string[]>;
}

const GUEST_BOOT_MS = 240_000;

/**
 * What a newcomer does with the printed credentials, on real machines. What changes something is typed as in
 * the README; questions, most of them asked again and again, go to one client that stays: each start of the
 * command would take from the guests what they need to boot.
 */
describe("a cloud with two QEMU hosts", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let demo: OpenStack;
  let ask: OpenStackShell;
  let askAsAdmin: OpenStackShell;
  let image = "";
  const work = processFolder("user");
  const userData = join(work, "user-data.sh");

  const consoleOf = (name: string): Promise<string> => ask.run("console", "log", "show", name);
  const bootedConsole = async (name: string): Promise<string> => {
    let text = "";
    await until(
      async () => {
        text = await consoleOf(name);
        return text.includes("BOOT-DONE");
      },
      { timeoutMs: GUEST_BOOT_MS },
    );
    return text;
  };
  const boot = (name: string, ...more: string[]): Promise<Server> =>
    demo.json<Server>(
      "server",
      "create",
      "--image",
      image,
      "--flavor",
      "m1.tiny",
      "--network",
      "private",
      "--key-name",
      "mykey",
      "--user-data",
      userData,
      "--wait",
      ...more,
      name,
    );

  before(async () => {
    cloud = await Cloud.start({ portOffset: 10_000 });
    demo = new OpenStack(cloud, "demo");
    ask = new OpenStackShell(cloud.credentials("demo"));
    askAsAdmin = new OpenStackShell({
      ...cloud.credentials("admin"),
      OS_COMPUTE_API_VERSION: "2.53",
      OS_PLACEMENT_API_VERSION: "1.29",
    });
    writeFileSync(userData, "#!/bin/sh\necho user-data-was-here: $(hostname)\n");
  });
  after(async () => {
    if (!cloud) return;
    for (const server of await ask.json<Server[]>("server", "list").catch(() => []))
      await demo.run("server", "delete", "--wait", server.ID as string).catch(() => {});
    await Promise.allSettled([ask.close(), askAsAdmin.close()]);
    await cloud.stop();
    cloud.forget();
  });

  it("lists image, flavors and network, and makes a key pair", async () => {
    const images = await ask.json<Row[]>("image", "list");
    assert.equal(images.length, 1);
    assert.equal(images[0]?.["Status"], "active");
    image = String(images[0]?.["Name"]);
    const flavors = await ask.json<Row[]>("flavor", "list");
    const offered = flavors.map((f) => [f["Name"], f["RAM"], f["Disk"]]).sort();
    assert.deepEqual(
      offered.filter(([name]) => name !== "m1.medium"),
      [
        ["m1.nano", 96, 1],
        ["m1.small", 512, 5],
        ["m1.tiny", 128, 1],
      ],
    );
    assert.deepEqual(
      (await ask.json<Row[]>("network", "list")).map((n) => n["Name"]),
      ["private"],
    );
    writeFileSync(join(work, "mykey"), await demo.run("keypair", "create", "mykey"), { mode: 0o600 });
    assert.match(readFileSync(join(work, "mykey"), "utf8"), /PRIVATE KEY/);
  });

  it("shows services, hypervisors and providers to the administrator", async () => {
    const services = await askAsAdmin.json<Row[]>("compute", "service", "list");
    assert.equal(services.filter((s) => s["Binary"] === "nova-compute" && s["State"] === "up").length, 2);
    const hypervisors = await askAsAdmin.json<Row[]>("hypervisor", "list");
    assert.deepEqual(
      hypervisors.map((h) => h["State"]),
      ["up", "up"],
    );
    const providers = await askAsAdmin.json<Row[]>("resource", "provider", "list");
    assert.deepEqual(
      providers.map((p) => p["name"]).sort(),
      hypervisors.map((h) => h["Hypervisor Hostname"]).sort(),
    );
  });

  it("offers no flavor that none of its hosts could carry", async () => {
    for (const flavor of await ask.json<Row[]>("flavor", "list")) {
      const resources = [
        `VCPU=${flavor["VCPUs"]}`,
        `MEMORY_MB=${flavor["RAM"]}`,
        `DISK_GB=${flavor["Disk"]}`,
      ];
      const candidates = await askAsAdmin.json<Row[]>(
        ...["allocation", "candidate", "list"],
        ...resources.flatMap((resource) => ["--resource", resource]),
      );
      assert.ok(candidates.length > 0, `${String(flavor["Name"])} fits on no host`);
    }
  });

  describe("with a server booted by metadata", () => {
    let vm1: Server;

    it("boots it to ACTIVE, with its own boot lines, host name, key and user data on the console", async () => {
      vm1 = await boot("vm1");
      assert.equal(vm1.status, "ACTIVE");
      const text = await bootedConsole("vm1");
      const publicKey =
        (await ask.run("keypair", "show", "--public-key", "mykey")).trim().split(" ")[1] ?? "missing";
      for (const part of ["vm1", "user-data-was-here: vm1", publicKey, "http"])
        assert.ok(text.includes(part), `${part} in the console:\n${text.slice(-3000)}`);
    });

    it("lists and shows it", async () => {
      const listed = await ask.json<Row[]>("server", "list");
      assert.deepEqual(
        listed.map((s) => [s["Name"], s["Status"], s["Flavor"]]),
        [["vm1", "ACTIVE", "m1.tiny"]],
      );
      const shown = await ask.json<Row>("server", "show", "vm1");
      assert.equal(shown["key_name"], "mykey");
      assert.ok(Object.keys(shown["addresses"] as Row).includes("private"));
    });

    it("stops, starts and reboots it, soft and hard", async () => {
      const boots = async (): Promise<number> => (await consoleOf("vm1")).split("BOOT-DONE").length - 1;
      const status = async (): Promise<unknown> => (await ask.json<Row>("server", "show", "vm1"))["status"];
      await demo.run("server", "stop", "vm1");
      await until(async () => (await status()) === "SHUTOFF", { timeoutMs: GUEST_BOOT_MS, what: "SHUTOFF" });
      assert.equal(qemuProcesses(vm1.id).length, 0);
      await demo.run("server", "start", "vm1");
      await until(async () => (await status()) === "ACTIVE", { timeoutMs: GUEST_BOOT_MS, what: "ACTIVE" });
      await until(async () => (await boots()) === 2, { timeoutMs: GUEST_BOOT_MS });
      await demo.run("server", "reboot", "--soft", "--wait", "vm1");
      await until(async () => (await boots()) === 3, { timeoutMs: GUEST_BOOT_MS });
      await demo.run("server", "reboot", "--hard", "--wait", "vm1");
      await until(async () => (await boots()) === 4, { timeoutMs: GUEST_BOOT_MS });
    });

    it("finds it again after kill -9 of everything", async () => {
      const [pid] = qemuProcesses(vm1.id);
      await cloud.kill();
      cloud = await Cloud.start({ portOffset: 10_000, home: cloud.home });
      assert.deepEqual(qemuProcesses(vm1.id), [pid]);
      assert.equal((await ask.json<Row>("server", "show", "vm1"))["status"], "ACTIVE");
      assert.match(await consoleOf("vm1"), /BOOT-DONE/);
    });

    it("deletes it without leaving anything", async () => {
      assert.equal(qemuProcesses(vm1.id).length, 1);
      await demo.run("server", "delete", "--wait", "vm1");
      assert.deepEqual(await ask.json("server", "list"), []);
      assert.deepEqual(await ask.json("port", "list"), []);
      assert.deepEqual(qemuProcesses(vm1.id), []);
      assert.deepEqual(filesNaming(cloud.home, vm1.id), []);
      const limits = await ask.json<{ Name: string; Value: number }[]>("limits", "show", "--absolute");
      for (const name of ["totalInstancesUsed", "totalCoresUsed", "totalRAMUsed"])
        assert.equal(limits.find((l) => l.Name === name)?.Value, 0, name);
      const hypervisors = await askAsAdmin.json<Row[]>("hypervisor", "list", "--long");
      for (const h of hypervisors) assert.equal(h["vCPUs Used"], 0);
    });
  });

  describe("with two servers, one of them with a config drive", () => {
    it("boots both, and they ping each other", async () => {
      const a = await boot("vm-a", "--use-config-drive");
      const address = Object.values((await ask.json<Server>("server", "show", "vm-a")).addresses).flat()[0];
      assert.ok(address);
      writeFileSync(
        userData,
        `#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do ping -c 1 -W 2 ${address} && echo ping-answered && break; sleep 2; done\n`,
      );
      assert.match(await bootedConsole("vm-a"), /config ?drive/i);
      assert.equal(a.status, "ACTIVE");
      await boot("vm-b");
      assert.match(await bootedConsole("vm-b"), /ping-answered/);
    });

    it("has both shut in, each as a user of its own who reaches nothing of the other's", async () => {
      const servers = await ask.json<Row[]>("server", "list");
      const guests = servers.map((server) => {
        const id = String(server["ID"]);
        const [pid = 0, ...more] = qemuProcesses(id);
        assert.deepEqual(more, [], "one process has QEMU's command line");
        return { id, pid, status: procStatus(pid) };
      });
      assert.equal(guests.length, 2);
      const told = kilonovaStatus(cloud.home);
      for (const { pid, status } of guests) {
        for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
          assert.match(status.get(set) ?? "", /^0+$/, set);
        assert.equal(status.get("NoNewPrivs"), "1");
        assert.equal(status.get("Seccomp"), "2");
        if (/namespaces of their own(?! \()/.test(told)) {
          for (const kind of ["mnt", "pid", "ipc", "net", "uts"])
            assert.notEqual(namespaceOf(pid, kind), namespaceOf("self", kind), kind);
          assert.deepEqual(seenBy(pid, "/dev"), ["null", "urandom"]);
          assert.deepEqual(seenBy(pid, cloud.home), ["hosts"]);
        }
      }
      assert.match(told, /no capabilities, a system call filter/);
      assert.ok(
        cloud.output.text.includes(told.trim().split("\n").at(-1) ?? "missing"),
        "said at start as well",
      );
      if (process.getuid?.() !== 0) return;
      for (const { id, pid, status } of guests) {
        const controllers = /control groups \(v[12] ([^)]*)\)/.exec(told)?.[1]?.split(/ |, v[12] /) ?? [];
        for (const controller of controllers)
          assert.match(
            cgroupsOf(pid),
            new RegExp(`^\\d+:(\\S*\\b${controller}\\b\\S*)?:.*/kilonova/${id}$`, "m"),
          );
        const [uid = 0, ...others] = (status.get("Uid") ?? "").split(/\s+/).map(Number);
        assert.ok(uid > 0 && others.every((other) => other === uid), status.get("Uid"));
        assert.equal(status.get("Gid"), status.get("Uid"));
        assert.equal(status.get("Groups"), "");
      }
      const filesOf = ({ id, pid }: { id: string; pid: number }): string[] => {
        const dir = filesNaming(cloud.home, id).find((path) => path.endsWith(`guests/${id}`)) ?? "";
        const sockets = readFileSync(`/proc/${pid}/cmdline`, "utf8").match(/path=[^,\0]*\.sock/g) ?? [];
        return [join(dir, "disk"), join(dir, "console.log"), ...sockets.map((s) => s.slice("path=".length))];
      };
      const uidOf = ({ pid }: { pid: number }): number => Number(procStatus(pid).get("Uid")?.split(/\s+/)[0]);
      const agents = ["secrets.json", "admin-openrc.sh", "postgres", "kilonova.log", "operator.sock"];
      for (const [one, other] of [guests, [...guests].reverse()]) {
        assert.ok(one && other);
        const own = tryAs(uidOf(one), filesOf(one));
        assert.equal(Object.keys(own).length, 6);
        assert.deepEqual([...new Set(Object.values(own))], ["ok"], JSON.stringify(own));
        const foreign = [...filesOf(other), ...agents.map((name) => join(cloud.home, name))];
        const reached = tryAs(uidOf(one), foreign);
        assert.deepEqual([...new Set(Object.values(reached))], ["EACCES"], JSON.stringify(reached));
      }
    });

    it("deletes both", async () => {
      await demo.run("server", "delete", "--wait", "vm-a", "vm-b");
      assert.deepEqual(await ask.json("server", "list"), []);
    });
  });
});
