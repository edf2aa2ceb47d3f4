import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import type { Ctx } from "../../pkg/kernel/index.js";
import { KilonovaError, rootCtx, serviceActor } from "../../pkg/kernel/index.js";
import { systemIds } from "../../pkg/platform/process/index.js";
import type { Channel } from "../../pkg/platform/rpc/index.js";
import { connectRpc } from "../../pkg/platform/rpc/index.js";
import {
  clusterSections,
  processSections,
  readConfig,
  visitCluster,
} from "../../pkg/platform/service/index.js";
import { projectRoot } from "./project-root.js";

const LONGEST_SOCKET_PATH = 107;

/**
 * Where a running `kilonova up` listens for its operator; only its owner may connect. Short even in deep
 * folders.
 */
export function operatorSocket(home: string): string {
  const path = join(home, "operator.sock");
  return Buffer.byteLength(path) <= LONGEST_SOCKET_PATH
    ? path
    : `/tmp/kilonova-op-${createHash("sha256").update(home).digest("hex").slice(0, 12)}.sock`;
}

const homeOf = (home: string | undefined): string =>
  resolve(home ?? process.env["KILONOVA_HOME"] ?? join(projectRoot(), ".kilonova"));

/** What to say when there is no cloud to ask: where it was looked for, and how another place is named. */
function nobodyThere(error: unknown, home: string | undefined): string | undefined {
  if (process.env["KILONOVA_CONFIG"] && home === undefined) return undefined;
  if (!(error instanceof KilonovaError) || error.kind !== "unavailable") return undefined;
  return `No cloud runs at ${homeOf(home)}. Start one with npm start, or name the state directory of yours: KILONOVA_HOME=/somewhere, or --home.`;
}

/**
 * Runs one operator's command against the running cloud and prints what it returns or why it failed: against
 * a deployment when KILONOVA_CONFIG names a file with its registry and the operator's certificate, otherwise
 * against `kilonova up`.
 */
export async function asOperator(
  home: string | undefined,
  work: (ctx: Ctx, channel: Channel) => Promise<void>,
): Promise<void> {
  const ctx = rootCtx({
    requestId: `req-${systemIds.uuid()}`,
    actor: serviceActor("operator"),
    deadlineMs: Date.now() + 30_000,
  });
  let channel: Channel | undefined;
  try {
    channel =
      process.env["KILONOVA_CONFIG"] && home === undefined
        ? await visitCluster(ctx, readConfig({ ...processSections, ...clusterSections }, [], process.env))
        : connectRpc(`unix:${operatorSocket(homeOf(home))}`, { attempts: 1 });
    await work(ctx, channel);
  } catch (error) {
    console.error(nobodyThere(error, home) ?? (error instanceof Error ? error.message : String(error)));
    process.exitCode = 1;
  } finally {
    await channel?.close();
  }
}
