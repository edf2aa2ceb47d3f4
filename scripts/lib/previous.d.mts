import type { SpawnSyncReturns } from "node:child_process";

export function git(
  args: readonly string[],
  options: { readonly encoding: "utf8" },
): SpawnSyncReturns<string>;
export function previousCommit(
  paths: readonly string[],
): { readonly commit: string } | { readonly none: string };
export function internalBreak(commit: string): string | undefined;
export function exportCommit(commit: string, folder: string, paths?: readonly string[]): void;
