// Error tables → their enum in proto/; proto/ → gen/ and gen/descriptors.binpb (for reflection), and the
// generated parts of both SDKs; folders → index.gen.ts; options → docs/config.md; unserved methods →
// docs/status.md; operations → docs/operations.md; what drivers can → docs/user/feature-support.md.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./lib/paths.mjs";
import { run } from "./lib/run.mjs";

await run(process.execPath, ["--import", "tsx", "scripts/gen-error-reasons.ts"], { cwd: root });
const buf = join(root, "node_modules", ".bin", "buf");
await run(buf, ["generate"], { cwd: root });
// Only options' declarations import it, and they make no code.
rmSync(join(root, "gen", "google", "protobuf", "descriptor.ts"));
await run(buf, ["build", "--as-file-descriptor-set", "-o", "gen/descriptors.binpb"], { cwd: root });
await run(buf, ["generate", "--template", "pkg/sdk/buf.gen.yaml"], { cwd: root });
await run(process.execPath, ["scripts/gen-sdk.mjs"], { cwd: root });
if (existsSync(join(root, "scripts", "gen-registries.mjs")))
  await run(process.execPath, ["scripts/gen-registries.mjs"], { cwd: root });
await run(process.execPath, ["--import", "tsx", "scripts/gen-config-docs.ts"], { cwd: root });
await run(process.execPath, ["--import", "tsx", "scripts/gen-status-docs.ts"], { cwd: root });
await run(process.execPath, ["--import", "tsx", "scripts/gen-operations-docs.ts"], { cwd: root });
await run(process.execPath, ["--import", "tsx", "scripts/gen-feature-docs.ts"], { cwd: root });
