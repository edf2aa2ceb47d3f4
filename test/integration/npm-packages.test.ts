import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../pkg/platform/service/index.js";

/** A registry that takes connections and never answers. */
const silent = (): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.on("error", () => {}).resume());
    server.listen(0, "127.0.0.1", () => resolve(server));
  });

describe("npm packages of a tree", function () {
  this.timeout(180_000);
  let tree: string;
  let registry: Server;
  let asked = 0;

  const write = (place: string, content: unknown): void => {
    mkdirSync(join(tree, place, ".."), { recursive: true });
    writeFileSync(join(tree, place), JSON.stringify(content));
  };
  const installed = (name: string, version: string): void =>
    write(`node_modules/${name}/package.json`, { name, version });
  /** Calls a function of `scripts/lib/npm.mjs` on the tree. @returns what it printed and returned or threw */
  const script = (call: string): Promise<string> =>
    new Promise((resolve) => {
      const program =
        `import * as npm from ${JSON.stringify(join(packageRoot(), "scripts/lib/npm.mjs"))};` +
        `console.log(await Promise.resolve(npm.${call}).then(String, (error) => "threw: " + error.message));`;
      const { port } = registry.address() as AddressInfo;
      const env = {
        ...process.env,
        npm_config_registry: `http://127.0.0.1:${port}/`,
        npm_config_cache: join(tree, "npm-cache"),
        npm_config_proxy: "",
        npm_config_https_proxy: "",
      };
      execFile(process.execPath, ["--input-type=module", "-e", program], { env }, (_error, out, err) =>
        resolve(out + err),
      );
    });
  const ready = async (): Promise<boolean> =>
    (await script(`npmReady(${JSON.stringify(tree)})`)) === "true\n";

  beforeEach(async () => {
    tree = mkdtempSync(join(tmpdir(), "kilonova-npm-"));
    registry = await silent();
    asked = 0;
    registry.on("connection", () => asked++);
    const dependencies = { needed: "1.2.3" };
    write("package.json", { name: "tree", version: "1.0.0", dependencies });
    write("package-lock.json", {
      ...{ name: "tree", version: "1.0.0", lockfileVersion: 3, requires: true },
      packages: {
        "": { name: "tree", version: "1.0.0", dependencies },
        "node_modules/needed": {
          version: "1.2.3",
          integrity: `sha512-${Buffer.alloc(64).toString("base64")}`,
        },
        "node_modules/other-machines": { version: "9.9.9", optional: true, os: ["aix"] },
      },
    });
  });
  afterEach(() => {
    registry.close();
    rmSync(tree, { recursive: true, force: true });
  });

  it("that were copied from elsewhere will do when names and versions agree", async () => {
    installed("needed", "1.2.3");
    assert.equal(await ready(), true);
    assert.match(await script(`installNpm(() => {}, ${JSON.stringify(tree)})`), /^undefined/);
    assert.equal(asked, 0);
    // Seen once, it is not looked at again until the lock file changes.
    assert.ok(existsSync(join(tree, "node_modules/.kilonova-lock")));
  });

  it("that are older, missing or broken will not", async () => {
    assert.equal(await ready(), false);
    installed("needed", "1.2.2");
    assert.equal(await ready(), false);
    writeFileSync(join(tree, "node_modules/needed/package.json"), "{");
    assert.equal(await ready(), false);
  });

  it("stay as they are when others cannot be fetched, which is said within seconds", async () => {
    installed("needed", "1.2.2");
    writeFileSync(join(tree, "node_modules/needed/index.js"), "old");
    const beganMs = performance.now();
    const said = await script(`installNpm(() => {}, ${JSON.stringify(tree)})`);
    assert.ok(performance.now() - beganMs < 120_000);
    assert.match(said, /npm has had no answer from the network yet/);
    assert.match(
      said,
      /threw: The npm packages cannot be fetched: the network, or the registry, does not answer\./,
    );
    assert.match(said, /node_modules is as it was before\./);
    assert.ok(asked > 0);
    assert.equal(readFileSync(join(tree, "node_modules/needed/index.js"), "utf8"), "old");
    assert.deepEqual(readdirSync(join(tree, ".cache/npm")), []);
  });

  it("of a try that was cut short come back at the next one, and never count as complete", async () => {
    // As a crash leaves them: what was there is aside, what is there is a part.
    write(".cache/npm/before/needed/package.json", { name: "needed", version: "1.2.2" });
    write(".cache/npm/begun", "");
    installed("needed", "1.2.3");
    assert.equal(await ready(), false);
    const said = await script(`installNpm(() => {}, ${JSON.stringify(tree)})`);
    assert.match(said, /node_modules is as it was before\./);
    const { version } = JSON.parse(readFileSync(join(tree, "node_modules/needed/package.json"), "utf8")) as {
      version: string;
    };
    assert.equal(version, "1.2.2");
  });
});
