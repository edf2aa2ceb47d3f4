import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { readCloudsYaml } from "./clouds-yaml.js";

describe("clouds.yaml, read as openstacksdk does", () => {
  let cwd: string;
  let home: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "kilonova-clouds-"));
    home = join(cwd, "home");
    mkdirSync(join(home, "openstack"), { recursive: true });
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  const write = (path: string, clouds: object): string => {
    writeFileSync(join(cwd, path), stringify({ clouds }));
    return join(cwd, path);
  };
  const cloudAt = (auth_url: string, more: object = {}) => ({ auth: { auth_url, password: "p", ...more } });
  const read = (env: Record<string, string> = {}, cloud?: string) =>
    readCloudsYaml({ cwd, env: { XDG_CONFIG_HOME: home, ...env }, cloud });

  it("the file that OS_CLIENT_CONFIG_FILE names counts first, then the present folder, then the user's", () => {
    write("home/openstack/clouds.yaml", { one: cloudAt("http://user") });
    assert.equal(read().auth.authUrl, "http://user");
    write("clouds.yaml", { one: cloudAt("http://here") });
    assert.equal(read().auth.authUrl, "http://here");
    const named = write("other.yaml", { one: cloudAt("http://named") });
    assert.equal(read({ OS_CLIENT_CONFIG_FILE: named }).auth.authUrl, "http://named");
  });

  it("the cloud is the one asked for, OS_CLOUD's, or the only one", () => {
    write("clouds.yaml", { one: cloudAt("http://one"), two: cloudAt("http://two") });
    assert.throws(() => read(), /no cloud is named; there are one, two/);
    assert.equal(read({ OS_CLOUD: "two" }).auth.authUrl, "http://two");
    assert.equal(read({ OS_CLOUD: "two" }, "one").auth.authUrl, "http://one");
    assert.throws(() => read({ OS_CLOUD: "three" }), /there is no cloud three/);
    rmSync(join(cwd, "clouds.yaml"));
    assert.throws(() => read(), /no clouds.yaml was found/);
  });

  it("secure.yaml is laid over it, key by key", () => {
    write("clouds.yaml", { one: { region_name: "R", auth: { auth_url: "http://one", username: "u" } } });
    write("secure.yaml", { one: { auth: { password: "hidden" } } });
    const { auth, place } = read();
    assert.deepEqual([auth.username, auth.password, place.region], ["u", "hidden", "R"]);
  });

  it("variables of an openrc file count when no cloud is named", () => {
    write("clouds.yaml", { one: cloudAt("http://one") });
    const openrc = {
      OS_AUTH_URL: "http://variables",
      OS_USERNAME: "u",
      OS_PASSWORD: "p",
      OS_PROJECT_NAME: "demo",
      OS_REGION_NAME: "RegionOne",
    };
    const { auth, place } = read(openrc);
    assert.deepEqual(
      [auth.authUrl, auth.username, auth.password, auth.projectName, place.region],
      ["http://variables", "u", "p", "demo", "RegionOne"],
    );
    assert.equal(read({ ...openrc, OS_CLOUD: "one" }).auth.authUrl, "http://one");
  });

  it("auth_type chooses among credentials, and what is not known is refused", () => {
    const both = { application_credential_id: "i", application_credential_secret: "s" };
    const of = (auth_type: string) => {
      write("clouds.yaml", { one: { ...cloudAt("http://one", both), auth_type } });
      const { auth } = read();
      return [auth.password, auth.applicationCredentialSecret];
    };
    assert.deepEqual(of("v3applicationcredential"), [undefined, "s"]);
    assert.deepEqual(of("password"), ["p", undefined]);
    assert.throws(() => of("v3oidcpassword"), /auth_type v3oidcpassword is not known/);
  });

  it("says whom to trust", () => {
    write("clouds.yaml", {
      one: { ...cloudAt("http://one"), verify: false, cacert: "/ca.pem", interface: "internal" },
    });
    const { tls, place } = read();
    assert.deepEqual([tls.verify, tls.cacert, place.interface], [false, "/ca.pem", "internal"]);
  });

  it("says that the address of Identity is missing", () => {
    write("clouds.yaml", { one: { auth: {} } });
    assert.throws(() => read(), /auth_url is missing/);
  });
});
