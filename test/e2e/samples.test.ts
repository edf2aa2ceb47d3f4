import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { Cloud, projectRoot } from "./support/cloud.js";
import { askIdentity } from "./support/identity.js";
import { PackedSdk } from "./support/packed-sdk.js";
import { programOf } from "./support/program.js";

const run = promisify(execFile);
const PATIENCE_MS = 180_000;

/** As much of answers as is looked at. */
interface Answer {
  readonly flavors?: readonly { readonly id: string }[];
  readonly servers?: readonly { readonly id: string }[];
  readonly operations?: readonly { readonly name: string }[];
  readonly operation?: { readonly done?: boolean };
}

/** Gathers what a program says. */
function linesOf(program: ChildProcess) {
  const state = {
    text: "",
    async until(pattern: RegExp): Promise<void> {
      const endsAt = Date.now() + PATIENCE_MS;
      while (!pattern.test(state.text)) {
        assert.ok(
          Date.now() < endsAt && program.exitCode === null,
          `${String(pattern)} was not said:\n${state.text}`,
        );
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
  for (const stream of [program.stdout, program.stderr])
    stream?.on("data", (chunk: Buffer) => (state.text += chunk.toString()));
  return state;
}

/** Waits for the end of a program. */
async function endOf(program: ChildProcess): Promise<{ code: number | null; output: string }> {
  const said = linesOf(program);
  if (program.exitCode === null) await new Promise((resolve) => program.once("close", resolve));
  return { code: program.exitCode, output: said.text };
}

/** What a program says that ends well, with its ids left out. */
async function outputOf(program: ChildProcess): Promise<string> {
  const { code, output } = await endOf(program);
  assert.equal(code, 0, output);
  return output.replaceAll(/(req-)?[0-9a-f]{8}-[0-9a-f-]{27}/g, "$1ID").trim();
}

/** All pieces of a page in one language, one after the other. */
function programOn(page: string, language: string): string {
  const text = readFileSync(join(projectRoot, page), "utf8");
  const pieces = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, name]) => name === language);
  assert.ok(pieces.length > 3);
  return pieces
    .map(([, , piece]) => piece)
    .join("\n")
    .replaceAll("kilonova-guest", IMAGE);
}

interface Session {
  readonly token: string;
  /** Of the endpoint in the catalog that is for everybody. */
  urlOf(type: string): string;
}

/** Runs a sample in one of the languages. */
type Runner = (sample: string, ...args: string[]) => ChildProcess;

/** What the fake driver can boot. */
const IMAGE = "kilonova-blank";

/** What the program of docs/sdk.md says, in either language. */
const PAGE_SAYS = `mine true
mine
0
INVALID_ARGUMENT INVALID_REQUEST name req-ID
watching true
added ID
ACTIVE 1
true`;

describe("the samples, as their readers run them", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let pages: Server;
  let origin: string;
  let sdk: PackedSdk;

  before(async () => {
    sdk = await PackedSdk.pack();
    const page = readFileSync(join(projectRoot, "samples/browser/servers.html"));
    const script = readFileSync(join(sdk.node(), "node_modules/kilonova-sdk/bundle/kilonova.js"));
    pages = createServer(({ url }, res) => {
      const isPage = url === "/";
      res.setHeader("content-type", isPage ? "text/html" : "text/javascript").end(isPage ? page : script);
    });
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    cloud = await start();
  });
  const restart = ({ home }: Cloud): Promise<Cloud> => start(home);
  const start = (home?: string): Promise<Cloud> =>
    Cloud.start({
      portOffset: 17_000,
      args: ["--driver", "fake", "--hosts", "1"],
      env: { KILONOVA_GATEWAY_CORS_ORIGINS: `["${origin}"]` },
      ...(home === undefined ? {} : { home }),
    });
  after(async () => {
    pages?.close();
    sdk?.forget();
    if (!cloud) return;
    await cloud.stop();
    cloud.forget();
  });

  async function logIn(): Promise<Session> {
    const { OS_AUTH_URL = "", OS_PASSWORD = "" } = cloud.credentials("demo");
    const domain = { id: "default" };
    const body = JSON.stringify({
      auth: {
        identity: {
          methods: ["password"],
          password: { user: { name: "demo", password: OS_PASSWORD, domain } },
        },
        scope: { project: { name: "demo", domain } },
      },
    });
    const answer = await askIdentity(() =>
      fetch(`${OS_AUTH_URL}/auth/tokens`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      }),
    );
    assert.equal(answer.status, 201, await answer.clone().text());
    const { token } = (await answer.json()) as {
      token: { catalog: { type: string; endpoints: { interface: string; url: string }[] }[] };
    };
    return {
      token: answer.headers.get("x-subject-token") ?? "",
      urlOf: (type) =>
        token.catalog.find((one) => one.type === type)?.endpoints.find((one) => one.interface === "public")
          ?.url ?? assert.fail(`no ${type} in the catalog`),
    };
  }

  async function call({ token, urlOf }: Session, method: string, request: object): Promise<Answer> {
    const answer = await fetch(`${urlOf("compute-rpc")}/kilonova.api.v1.${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-auth-token": token },
      body: JSON.stringify(request),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await answer.json()) as Answer;
  }

  /** Boots a server and waits until it is there. @returns its id */
  async function boot(session: Session, name: string): Promise<string> {
    const { flavors } = await call(session, "FlavorsService/ListFlavors", { name: "m1.nano" });
    const found = await fetch(`${session.urlOf("image")}/v2/images`, {
      headers: { "x-auth-token": session.token },
    });
    const { images } = (await found.json()) as { images: { id: string }[] };
    const { servers, operations } = await call(session, "ServersService/CreateServers", {
      clientToken: randomUUID(),
      name,
      flavorId: flavors?.[0]?.id,
      imageId: images[0]?.id,
    });
    const { operation } = await call(session, "OperationsService/WaitOperation", {
      name: operations?.[0]?.name,
      timeout: `${PATIENCE_MS / 1_000}s`,
    });
    assert.equal(operation?.done, true, `${name} has not come up`);
    return servers?.[0]?.id ?? assert.fail("no server was made");
  }

  it("the catalog names the port, which serves what curl's example needs", async () => {
    const { stdout } = await run(join(projectRoot, "samples/curl/boot-and-wait.sh"), {
      env: { ...process.env, ...cloud.credentials("demo") },
      timeout: 120_000,
    });
    const [accepted = "", ...rest] = stdout.trim().split("\n");
    assert.match(accepted, /^accepted [0-9a-f-]{36}$/);
    assert.deepEqual(rest, [
      accepted.replace("accepted", "again True"),
      "refused invalid_argument INVALID_REQUEST",
      "boot OPERATION_STATE_SUCCEEDED",
      "server VM_STATE_ACTIVE",
      "deletion OPERATION_STATE_SUCCEEDED",
      "afterwards not_found",
    ]);
  });

  const settings = (): NodeJS.ProcessEnv => ({
    ...process.env,
    OS_CLOUD: "kilonova",
    OS_CLIENT_CONFIG_FILE: join(cloud.home, "clouds.yaml"),
  });

  /**
   * What both languages' samples do.
   *
   * @param source  the file of the shortest one
   * @param nameOf  what to start, by the words of its name
   */
  function samplesIn(
    language: string,
    source: string,
    nameOf: (stem: string) => string,
    start: Runner,
  ): void {
    it(`in ${language} a server is made, waited for and deleted, in ten lines`, async () => {
      assert.ok(readFileSync(source, "utf8").trim().split("\n").length <= 10);
      const { code, output } = await endOf(start(nameOf("create wait delete"), IMAGE));
      assert.equal(code, 0, output);
      const [, id = ""] = /^([0-9a-f-]{36}) has come up$/m.exec(output) ?? assert.fail(output);
      const session = await logIn();
      const { servers = [] } = await call(session, "ServersService/ListServers", {});
      assert.ok(!servers.some((one) => one.id === id));
    });

    it(`in ${language} a program that names an image that is not there says so`, async () => {
      const { code, output } = await endOf(start(nameOf("create wait delete"), "no-such-image"));
      assert.notEqual(code, 0);
      assert.match(output, /there is no image no-such-image/);
    });

    it(`in ${language} an informer tells of servers, also after the cloud was away`, async () => {
      const session = await logIn();
      const old = await boot(session, "was-there");
      const program = start(nameOf("informer"));
      const told = linesOf(program);
      try {
        await told.until(/^\d+ servers$/m);
        assert.match(told.text, new RegExp(`^added ${old} was-there ACTIVE$`, "m"));
        const young = await boot(session, "came-later");
        await told.until(new RegExp(`^changed ${young} came-later ACTIVE$`, "m"));
        await cloud.kill();
        cloud = await restart(cloud);
        const again = await logIn();
        for (const serverId of [old, young]) await call(again, "ServersService/DeleteServer", { serverId });
        await told.until(new RegExp(`^deleted ${young} `, "m"));
        await told.until(new RegExp(`^deleted ${old} `, "m"));
        assert.equal(told.text.match(new RegExp(`^(added|deleted) ${old} `, "gm"))?.length, 2, told.text);
      } finally {
        program.kill("SIGINT");
      }
      assert.equal((await endOf(program)).code, 0, told.text);
    });
  }

  /** What an application credential of the demo user, and a token of his, look like in clouds.yaml. */
  async function otherLogins(): Promise<Record<string, string>[]> {
    const { OS_AUTH_URL: auth_url = "" } = cloud.credentials("demo");
    const { token, urlOf } = await logIn();
    const headers = { "x-auth-token": token, "x-subject-token": token, "content-type": "application/json" };
    const identity = urlOf("identity");
    const shown = (await (await fetch(`${identity}/auth/tokens`, { headers })).json()) as {
      token: { user: { id: string }; project: { id: string } };
    };
    const { user, project } = shown.token;
    const body = JSON.stringify({ application_credential: { name: randomUUID() } });
    const made = await fetch(`${identity}/users/${user.id}/application_credentials`, {
      method: "POST",
      headers,
      body,
    });
    const { application_credential: one } = (await made.json()) as {
      application_credential: { id: string; secret: string };
    };
    return [
      { auth_url, application_credential_id: one.id, application_credential_secret: one.secret },
      { auth_url, token, project_id: project.id },
    ];
  }

  /** clouds.yaml is JSON, too. @returns what a program says that lists flavors there */
  async function flavorsSeen(start: (env: NodeJS.ProcessEnv) => ChildProcess): Promise<string[]> {
    const clouds = join(cloud.home, "other-clouds.json");
    const seen: string[] = [];
    for (const auth of await otherLogins()) {
      writeFileSync(clouds, JSON.stringify({ clouds: { other: { auth } } }));
      const env = { ...settings(), OS_CLOUD: "other", OS_CLIENT_CONFIG_FILE: clouds };
      seen.push(await outputOf(start(env)));
    }
    return seen;
  }

  describe("with the npm package", () => {
    before(() => {
      writeFileSync(join(sdk.node(), "page.ts"), programOn("docs/sdk.md", "ts"));
      return sdk.compile(join(projectRoot, "samples/typescript"));
    });
    samplesIn(
      "TypeScript",
      join(projectRoot, "samples/typescript/create-wait-delete.ts"),
      (stem) => `${stem.replaceAll(" ", "-")}.js`,
      (sample, ...args) =>
        spawn(process.execPath, [join("out", sample), ...args], { cwd: sdk.node(), env: settings() }),
    );

    it("application credentials and tokens log in too", async () => {
      const program = `
        import { Kilonova } from "kilonova-sdk";
        const cloud = await Kilonova.fromCloudsYaml();
        console.log((await cloud.flavors.list({ name: "m1.nano" }).first()).name);
        cloud.close();`;
      const args = ["--input-type=module", "-e", program];
      const seen = await flavorsSeen((env) => spawn(process.execPath, args, { cwd: sdk.node(), env }));
      assert.deepEqual(seen, ["m1.nano", "m1.nano"]);
    });

    it("the pieces of docs/sdk.md are a program that runs", async () => {
      const program = spawn(process.execPath, ["out/page.js"], { cwd: sdk.node(), env: settings() });
      assert.equal(await outputOf(program), PAGE_SAYS);
    });
  });

  describe("with the wheel", () => {
    before(async function () {
      if (!(await sdk.installWheel())) this.skip(); // listed in test/skips.txt
    });
    const python: Runner = (file, ...args) => sdk.python([file, ...args], settings());
    samplesIn(
      "Python",
      join(projectRoot, "samples/python/create_wait_delete.py"),
      (stem) => join(projectRoot, "samples/python", `${stem.replaceAll(" ", "_")}.py`),
      python,
    );

    it("application credentials and tokens log in too", async () => {
      const program = [
        "from kilonova import Kilonova",
        "with Kilonova.from_clouds_yaml() as cloud:",
        "    print(cloud.flavors.list(name='m1.nano').first().name)",
      ].join("\n");
      const seen = await flavorsSeen((env) => sdk.python(["-c", program], env));
      assert.deepEqual(seen, ["m1.nano", "m1.nano"]);
    });

    it("the pieces of docs/sdk.md are a program that runs", async () => {
      const program = sdk.python(["-c", programOn("docs/sdk.md", "python")], settings());
      assert.equal(
        await outputOf(program),
        PAGE_SAYS.replaceAll(/\b(true|false)\b/g, (word) => (word === "true" ? "True" : "False")),
      );
    });

    it("the wheel's own tests pass", async () => {
      const tests = join(projectRoot, "pkg/sdk-python/tests");
      const { code, output } = await endOf(
        sdk.python(["-m", "unittest", "discover", "-s", tests], settings()),
      );
      assert.equal(code, 0, output);
      assert.match(output, /^OK$/m);
    });
  });

  describe("the page, in Chromium", () => {
    let browser: Browser;
    let page: Page;
    let said: string[];

    before(async () => {
      browser = await chromium.launch({
        executablePath: programOf("chromium") ?? assert.fail("Chromium is not installed"),
        // Its own sandbox needs rights that containers lack; it sees this page and this cloud only.
        args: ["--no-sandbox"],
        timeout: PATIENCE_MS,
      });
    });
    after(() => browser?.close());
    beforeEach(async () => {
      page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      said = [];
      page.on("console", (message) => said.push(message.text()));
      page.on("pageerror", (error) => said.push(String(error)));
      await page.goto(origin);
      const { OS_AUTH_URL = "", OS_PASSWORD = "" } = cloud.credentials("demo");
      await page.getByLabel("Identity").fill(OS_AUTH_URL);
      await page.getByLabel("password").fill(OS_PASSWORD);
    });
    afterEach(() => page.close());

    const row = (table: "connect" | "rest", id: string) => page.locator(`#${table} tr[data-id="${id}"]`);
    const shows = async (id: string, name: string): Promise<void> => {
      for (const table of ["connect", "rest"] as const)
        await row(table, id)
          .filter({ hasText: new RegExp(`^${name} ACTIVE$`) })
          .waitFor({ state: "attached", timeout: PATIENCE_MS })
          .catch((error: unknown) => assert.fail(`${table}: ${String(error)}\n${said.join("\n")}`));
    };
    const forgets = async (id: string): Promise<void> => {
      for (const table of ["connect", "rest"] as const)
        await row(table, id).waitFor({ state: "detached", timeout: PATIENCE_MS });
    };

    it("lists servers and tells what happens to them, over Connect and over REST", async () => {
      const session = await logIn();
      const old = await boot(session, "was-there");
      await page.getByRole("button").click();
      await shows(old, "was-there");
      const young = await boot(session, "came-later");
      await shows(young, "came-later");
      await call(session, "ServersService/DeleteServer", { serverId: old });
      await forgets(old);
      await call(session, "ServersService/DeleteServer", { serverId: young });
      await forgets(young);
    });

    it("goes on where it was when the cloud was away", async () => {
      const session = await logIn();
      await page.getByRole("button").click();
      const gone = await boot(session, "from-before");
      await shows(gone, "from-before");
      await cloud.kill();
      cloud = await restart(cloud);
      // The page looks once a second: these are told to it from its resume tokens.
      await call(session, "ServersService/DeleteServer", { serverId: gone });
      const young = await boot(session, "from-after");
      await shows(young, "from-after");
      await forgets(gone);
      await call(session, "ServersService/DeleteServer", { serverId: young });
    });

    it("says that the login was wrong", async () => {
      await page.getByLabel("password").fill("wrong");
      await page.getByRole("button").click();
      await page.locator("#problem", { hasText: "401" }).waitFor({ timeout: PATIENCE_MS });
    });
  });
});
