#!/usr/bin/env node
// The operator's tool; `npx --no-install kilonova --help`.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { npmReady } from "./lib/npm.mjs";
import { root } from "./lib/paths.mjs";

if (!npmReady()) {
  console.error("Run `npm start` once: it installs what Kilonova needs.");
  process.exit(1);
}
if (!existsSync(join(root, "dist", "kilonova.js"))) await build();
await import(join(root, "dist", "kilonova.js"));
