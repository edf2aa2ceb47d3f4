import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { accessSync, constants, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { Cloud, projectRoot } from "./support/cloud.js";

const run = promisify(execFile);

/** Where a program lies; undefined where it is not installed. */
function programOf(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** As much of answers as is looked at. */
interface Answer {
  readonly flavors?: readonly { readonly id: string }[];
  readonly servers?: readonly { readonly id: string }[];
  readonly operations?: readonly { readonly name: string }[];
}

interface Session {
  readonly token: string;
  /** Of the endpoint in the catalog that is for everybody. */
  urlOf(type: string): string;
}

describe("a cloud, from a browser and from curl", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let pages: Server;
  let origin: string;

  before(async () => {
    const page = readFileSync(join(projectRoot, "docs/sdk/browser/servers.html"));
    pages = createServer((_req, res) => res.setHeader("content-type", "text/html").end(page));
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    cloud = await start();
  });
  const start = (home?: string): Promise<Cloud> =>
    Cloud.start({
      portOffset: 27_000,
      args: ["--driver", "fake", "--hosts", "1"],
      env: { KILONOVA_GATEWAY_CORS_ORIGINS: `["${origin}"]` },
      ...(home === undefined ? {} : { home }),
    });
  after(async () => {
    pages?.close();
    if (!cloud) return;
    await cloud.stop();
    cloud.forget();
  });

  async function logIn(): Promise<Session> {
    const { OS_AUTH_URL = "", OS_PASSWORD = "" } = cloud.credentials("demo");
    const domain = { id: "default" };
    const answer = await fetch(`${OS_AUTH_URL}/auth/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        auth: {
          identity: {
            methods: ["password"],
            password: { user: { name: "demo", password: OS_PASSWORD, domain } },
          },
          scope: { project: { name: "demo", domain } },
        },
      }),
    });
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
    await call(session, "OperationsService/WaitOperation", { name: operations?.[0]?.name, timeout: "60s" });
    return servers?.[0]?.id ?? assert.fail("no server was made");
  }

  it("the catalog names the port, which serves what curl's example needs", async () => {
    const { stdout } = await run(join(projectRoot, "docs/sdk/curl/boot-and-wait.sh"), {
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

  describe("the page of the documentation, in Chromium", () => {
    let browser: Browser;
    let page: Page;
    let said: string[];

    before(async () => {
      browser = await chromium.launch({
        executablePath: programOf("chromium") ?? assert.fail("Chromium is not installed"),
        // Its own sandbox needs rights that containers lack; it sees this page and this cloud only.
        args: ["--no-sandbox"],
      });
    });
    after(() => browser?.close());
    beforeEach(async () => {
      page = await browser.newPage();
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
          .waitFor({ state: "attached", timeout: 30_000 })
          .catch((error: unknown) => assert.fail(`${table}: ${String(error)}\n${said.join("\n")}`));
    };
    const forgets = async (id: string): Promise<void> => {
      for (const table of ["connect", "rest"] as const)
        await row(table, id).waitFor({ state: "detached", timeout: 30_000 });
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
      cloud = await start(cloud.home);
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
      await page.locator("#problem", { hasText: "401" }).waitFor({ timeout: 30_000 });
    });
  });
});
