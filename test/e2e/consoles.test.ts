import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { WebSocket } from "ws";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { OpenStackShell } from "./support/openstack-shell.js";
import { programOf } from "./support/program.js";

const PORT_OFFSET = 9_500;
const PATIENCE_MS = 120_000;
const patient = (what: string) => ({ timeoutMs: PATIENCE_MS, everyMs: 500, what });

/** Consoles as their users open them: the screen in a real browser, the serial line over a web socket. */
describe("consoles of a server with a real guest", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const name = "vm";

  const consoleText = (): Promise<string> => owner.run("console", "log", "show", name);
  const urlOf = async (...kind: string[]): Promise<string> =>
    (await owner.json<{ url: string }>("console", "url", "show", ...kind, name)).url;
  const stateOf = (): Promise<string> => page.evaluate<string>("document.body.dataset.state");
  const reaches = (state: string): Promise<unknown> =>
    until(async () => (await stateOf()) === state, patient(`the page to be ${state}`));
  /** What the browser shows of the screen. */
  const picture = (): Promise<string> =>
    page.evaluate<string>("document.querySelector('canvas').toDataURL()");

  before(async () => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "1"] });
    owner = new OpenStackShell(cloud.credentials("demo"));
    const [image] = await owner.json<{ ID: string }[]>("image", "list");
    await owner.run(
      ...["server", "create", "--image", image?.ID ?? "", "--flavor", "m1.nano", "--network", "private"],
      ...["--wait", name],
    );
    await until(async () => (await consoleText()).includes("BOOT-DONE"), patient("the guest to boot"));
    browser = await chromium.launch({
      executablePath: programOf("chromium") ?? assert.fail("Chromium is not installed"),
      // Its own sandbox needs rights that containers lack; it sees this cloud only.
      args: ["--no-sandbox"],
      timeout: PATIENCE_MS,
    });
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
  });
  after(async () => {
    await browser?.close();
    if (!cloud) return;
    await owner.run("server", "delete", "--wait", name).catch(() => {});
    await owner.close();
    await cloud.stop();
    cloud.forget();
  });

  it("are announced where the cloud says that it is ready", () => {
    assert.match(cloud.output.text, new RegExp(`Consoles +http://127\\.0\\.0\\.1:${cloud.port(6080)}$`, "m"));
  });

  it("show the screen in a browser, where its user types and the guest answers", async () => {
    const url = await urlOf();
    assert.match(
      url,
      new RegExp(`^http://127\\.0\\.0\\.1:${cloud.port(6080)}/vnc_auto\\.html\\?path=%3Ftoken%3D`),
    );
    await page.goto(url);
    await reaches("connected");
    assert.doesNotMatch(await consoleText(), /Linux version/);
    const before = await picture();
    // No key of these needs Shift, which this browser would not press; and what the guest prints was not
    // typed.
    await page.keyboard.type("dd if=/proc/version of=/dev/console\n", { delay: 30 });
    await until(
      async () => (await consoleText()).includes("Linux version"),
      patient("the guest to do what was typed"),
    );
    await until(async () => (await picture()) !== before, patient("the screen to change"));
    assert.deepEqual(complaints, []);
  });

  it("are open for programs over the serial line, and its log goes on beside", async () => {
    const url = await urlOf("--serial");
    assert.match(url, new RegExp(`^ws://127\\.0\\.0\\.1:${cloud.port(6080)}/\\?token=`));
    const line = new WebSocket(url, ["binary"]);
    let heard = "";
    line.on("message", (data: Buffer) => (heard += data.toString("latin1")));
    await new Promise((resolve, reject) => line.once("open", resolve).once("error", reject));
    line.send("echo serial-$((40+2))\r");
    await until(() => heard.includes("serial-42"), patient("the guest to answer"));
    await until(async () => (await consoleText()).includes("serial-42"), patient("the log to tell of it"));
    line.close();
    const again = new WebSocket(await urlOf("--serial"), ["binary"]);
    let later = "";
    again.on("message", (data: Buffer) => (later += data.toString("latin1")));
    await new Promise((resolve, reject) => again.once("open", resolve).once("error", reject));
    again.send("echo again-$((40+3))\r");
    await until(() => later.includes("again-43"), patient("the guest to answer again"));
    again.close();
  });

  it("end with the guest's run, and an address of an earlier run opens nothing", async () => {
    const url = page.url();
    await owner.run("server", "reboot", "--hard", "--wait", name);
    await reaches("disconnected");
    await page.goto("about:blank");
    await page.goto(url);
    await reaches("disconnected");
    await page.goto(await urlOf());
    await reaches("connected");
    await owner.run("server", "stop", name);
    await reaches("disconnected");
    await until(
      async () => (await owner.json<{ status: string }>("server", "show", name)).status === "SHUTOFF",
      patient("the server to stop"),
    );
    assert.match(await owner.fails("console", "url", "show", name), /is not ready/);
    await owner.run("server", "start", name);
  });

  it("are refused in Nova's words where there are none", async () => {
    assert.match(await owner.fails("console", "url", "show", "--spice", name), /Unavailable console type/);
  });
});
