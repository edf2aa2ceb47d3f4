import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { passwords, testCloud } from "./support/standalone-cloud.js";
import type { TestCloud } from "./support/standalone-cloud.js";

type Json = Readonly<Record<string, unknown>>;

const run = promisify(execFile);

function installed(): boolean {
  try {
    execFileSync("openstack", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The real client: what it accepts, every client accepts. Each command takes a second or two. */
describe("standalone services under the openstack command", function () {
  this.timeout(180_000);
  let t: TestCloud;
  let directory: string;

  before(async function () {
    if (!installed()) {
      console.log("skipped: the openstack command is not installed");
      return this.skip();
    }
    t = await testCloud();
    directory = await mkdtemp(join(tmpdir(), "kilonova-cli-"));
  });
  after(async () => {
    if (t === undefined) return;
    await t.close();
    await rm(directory, { recursive: true, force: true });
  });

  const as = (user: "admin" | "demo") => async (...args: readonly string[]): Promise<string> => {
    const env = {
      PATH: process.env["PATH"], HOME: directory, OS_AUTH_URL: `${t.cloud.urls.identity}/v3`, OS_IDENTITY_API_VERSION: "3", OS_USERNAME: user,
      OS_PASSWORD: passwords[user], OS_PROJECT_NAME: user, OS_USER_DOMAIN_NAME: "Default", OS_PROJECT_DOMAIN_NAME: "Default", OS_REGION_NAME: "RegionOne",
    };
    return (await run("openstack", args, { env, maxBuffer: 16 * 1024 * 1024 })).stdout;
  };
  const jsonAs = (user: "admin" | "demo") => async <T = Json>(...args: readonly string[]): Promise<T> => JSON.parse(await as(user)(...args, "-f", "json")) as T;
  const admin = as("admin");
  const adminJson = jsonAs("admin");
  const demo = as("demo");
  const demoJson = jsonAs("demo");
  const names = (rows: readonly Json[]): unknown[] => rows.map((row) => row["Name"]);

  it("issues tokens and lists the catalog", async () => {
    const [token, catalog, projects] = await Promise.all([
      adminJson("token", "issue"), adminJson<Json[]>("catalog", "list"), demoJson<Json[]>("project", "list"),
    ]);
    assert.equal(token["project_id"], t.cloud.seeded.projects.admin);
    assert.deepEqual(names(catalog).sort(), ["cinderv3", "glance", "keystone", "neutron"]);
    assert.deepEqual(names(projects), ["demo"]);
  });

  it("makes projects and users and gives them roles", async () => {
    await adminJson("project", "create", "--description", "d", "p1");
    await adminJson("user", "create", "--password", "pw", "--project", "p1", "u1");
    await admin("role", "add", "--project", "p1", "--user", "u1", "member");
    const [projects, users, roles, assigned] = await Promise.all([
      adminJson<Json[]>("project", "list"), adminJson<Json[]>("user", "list"), adminJson<Json[]>("role", "list"),
      adminJson<Json[]>("role", "assignment", "list", "--names", "--user", "u1"),
    ]);
    assert.ok(names(projects).includes("p1"));
    assert.ok(names(users).includes("u1"));
    assert.deepEqual(names(roles).sort(), ["admin", "manager", "member", "reader", "service"]);
    assert.deepEqual([assigned[0]?.["Role"], assigned[0]?.["Project"]], ["member", "p1@Default"]);
    await admin("user", "delete", "u1");
    await admin("project", "delete", "p1");
  });

  it("uploads, shows, saves and deletes images", async () => {
    const data = randomBytes(300_000);
    await writeFile(join(directory, "in.img"), data);
    await demoJson("image", "create", "--disk-format", "raw", "--container-format", "bare", "--property", "hw_video_model=none", "--file", join(directory, "in.img"), "img");
    const [shown, list] = await Promise.all([demoJson("image", "show", "img"), demoJson<Json[]>("image", "list")]);
    assert.deepEqual([shown["status"], shown["size"], (shown["properties"] as Json)["hw_video_model"]], ["active", data.length, "none"]);
    assert.ok(names(list).includes("img"));
    await demo("image", "save", "--file", join(directory, "out.img"), "img");
    assert.ok(data.equals(await readFile(join(directory, "out.img"))));
    await demo("image", "set", "--name", "renamed", "--property", "x=y", "img");
    await demo("image", "delete", "renamed");
    assert.deepEqual(names(await demoJson<Json[]>("image", "list")), []);
  });

  it("makes networks, subnets, ports and security groups, and takes them down", async () => {
    await demoJson("network", "create", "n1");
    await demoJson("subnet", "create", "--network", "n1", "--subnet-range", "10.20.0.0/24", "--dns-nameserver", "9.9.9.9", "s1");
    await demoJson("security", "group", "create", "g1");
    const [port] = await Promise.all([
      demoJson("port", "create", "--network", "n1", "--security-group", "g1", "--fixed-ip", "ip-address=10.20.0.30", "p1"),
      demoJson("security", "group", "rule", "create", "--protocol", "tcp", "--dst-port", "22:23", "g1"),
    ]);
    assert.equal((port["fixed_ips"] as { ip_address: string }[])[0]?.ip_address, "10.20.0.30");
    const [networks, subnet, ports, groups, rules] = await Promise.all([
      demoJson<Json[]>("network", "list"), demoJson("subnet", "show", "s1"), demoJson<Json[]>("port", "list", "--network", "n1"),
      demoJson<Json[]>("security", "group", "list"), demoJson<Json[]>("security", "group", "rule", "list", "g1"),
    ]);
    assert.deepEqual(names(networks).sort(), ["n1", "private"]);
    assert.deepEqual([subnet["gateway_ip"], subnet["dns_nameservers"]], ["10.20.0.1", ["9.9.9.9"]]);
    assert.equal(ports.length, 2);
    assert.deepEqual(names(groups).sort(), ["default", "g1"]);
    assert.equal(rules.length, 3);
    await demo("port", "delete", "p1");
    await Promise.all([demo("security", "group", "delete", "g1"), demo("subnet", "delete", "s1")]);
    await demo("network", "delete", "n1");
    assert.deepEqual(names(await demoJson<Json[]>("network", "list")), ["private"]);
  });

  it("leads a floating IP through a router", async () => {
    await adminJson("network", "create", "--external", "public");
    await adminJson("subnet", "create", "--network", "public", "--subnet-range", "198.51.100.0/28", "--no-dhcp", "public-subnet");
    await demoJson("router", "create", "--external-gateway", "public", "r1");
    await demoJson("network", "create", "n2");
    await demoJson("subnet", "create", "--network", "n2", "--subnet-range", "10.21.0.0/24", "s2");
    await demo("router", "add", "subnet", "r1", "s2");
    const port = await demoJson("port", "create", "--network", "n2", "p2");
    const ip = await demoJson("floating", "ip", "create", "--port", String(port["id"]), "public");
    assert.equal(ip["status"], "ACTIVE");
    await demo("floating", "ip", "delete", String(ip["floating_ip_address"]));
    await demo("router", "remove", "subnet", "r1", "s2");
    await demo("router", "delete", "r1");
  });
});
