import { readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Ctx } from "../../../kernel/index.js";
import { ifThere, syncPath, writeFileAtomic } from "../../../platform/files/index.js";
import type { GuestSpec, RebuildOptions } from "../../driver.js";
import { makeFiles, wantedDefinition } from "./define-guest.js";
import type { DefineTools } from "./define-guest.js";
import { parseDefinition } from "./definition.js";
import type { Definition } from "./definition.js";
import { ownDisks } from "./disk-plan.js";
import type { GuestFiles } from "./guest-files.js";
import { isNextEphemeral, nextPaths } from "./guest-paths.js";
import type { GuestPaths } from "./guest-paths.js";

/** Which guest is made anew. */
export interface RebuildInput {
  readonly spec: GuestSpec;
  readonly options: RebuildOptions;
  /** The guest as it is; undefined when it is not defined here. */
  readonly before: Definition | undefined;
  readonly paths: GuestPaths;
}

/**
 * Makes the new guest's disks under names of their own; its definition is written last, under another name,
 * too.
 *
 * @returns the definition that will be in force
 * @throws what `defineGuest` throws of new guests
 */
export async function prepareRebuild(
  ctx: Ctx,
  { spec, options, before, paths }: RebuildInput,
  tools: DefineTools,
): Promise<Definition> {
  await discardPrepared(paths);
  const plain = wantedDefinition({ spec, before: undefined, uidBefore: before?.uid, paths }, tools);
  const kept = options.keepsEphemeral && (before?.spec.ephemerals.length ?? 0) > 0;
  const made: Definition = kept ? { ...plain, spec: { ...plain.spec, ephemerals: [] } } : plain;
  const wanted: Definition = {
    ...plain,
    builtAs: options.key,
    incoming: ownDisks(made, paths).map(({ node }) => node),
  };
  const next = nextPaths(paths);
  await makeFiles(ctx, { spec, wanted: made, before: undefined, isRunning: false, paths: next }, tools);
  await writeFileAtomic(next.definition, JSON.stringify(wanted, null, 1));
  return wanted;
}

/** What is prepared and whole; undefined for nothing. */
export async function preparedRebuild(paths: GuestPaths): Promise<Definition | undefined> {
  const text = await ifThere(readFile(nextPaths(paths).definition, "utf8"));
  return text === undefined ? undefined : parseDefinition(text);
}

/** The definition goes first: half of it was never prepared. */
export async function discardPrepared(paths: GuestPaths): Promise<void> {
  const { definition, ...disks } = filesOf(nextPaths(paths));
  await rm(definition, { force: true });
  for (const path of Object.values(disks)) await rm(path, { force: true });
  for (const name of (await ifThere(readdir(paths.dir))) ?? [])
    if (isNextEphemeral(name)) await rm(join(paths.dir, name), { force: true });
}

/**
 * Puts the disks in place that a stored definition still waits for; repeatable, and nothing to do for others.
 * Called before anything else looks at the disks.
 * @returns the definition now in force
 */
export async function takeIncoming(
  files: GuestFiles,
  paths: GuestPaths,
  definition: Definition,
): Promise<Definition> {
  const { incoming, ...settled } = definition;
  if (incoming === undefined) return definition;
  const next = nextPaths(paths);
  const planned = ownDisks(definition, paths);
  for (const { node, path } of ownDisks(definition, next)) {
    const to = planned.find((disk) => disk.node === node)?.path;
    // One that is not there has been moved already.
    if (to !== undefined && incoming.includes(node)) await ifThere(rename(path, to));
  }
  if (!planned.some(({ node }) => node === "config")) await rm(paths.configDrive, { force: true });
  const { rootImage, kernel } = definition.spec;
  const used: ReadonlySet<unknown> = new Set([rootImage?.path, kernel?.kernelPath, kernel?.ramdiskPath]);
  for (const path of [paths.baseDisk, paths.ownKernel, paths.ownRamdisk])
    if (!used.has(path)) await rm(path, { force: true });
  await syncPath(paths.dir);
  await files.commit(paths, settled);
  await discardPrepared(paths);
  return settled;
}

const filesOf = ({ definition, rootDisk, swapDisk, configDrive }: GuestPaths) => ({
  definition,
  rootDisk,
  swapDisk,
  configDrive,
});
