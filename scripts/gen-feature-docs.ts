// Nova's matrix of features, as far as each driver has them → docs/user/feature-support.md. `--check` fails
// when the committed page is out of date.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../pkg/platform/service/index.js";
import { drivers, page } from "./features/page.js";

const path = join(packageRoot(), "docs", "user", "feature-support.md");
const wanted = page(drivers());
if (!process.argv.includes("--check")) writeFileSync(path, wanted);
else if (!existsSync(path) || readFileSync(path, "utf8") !== wanted) {
  console.error("docs/user/feature-support.md is out of date: run npm run gen");
  process.exitCode = 1;
}
