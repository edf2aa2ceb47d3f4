// Every error reason that may leave the public port → proto/kilonova/api/v1/error_reason.proto. The tables in
// pkg/*/errors.ts declare them; the contract's comments may promise more. A number once given stays.
// `--check` fails when the committed file is out of date.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  ApiErrors,
  CreateErrors,
  InterfaceErrors,
  ServerImageErrors,
  ShelveErrors,
  VolumeAttachmentErrors,
} from "../pkg/api/errors.js";
import { CellsErrors } from "../pkg/cells/errors.js";
import { CinderErrors } from "../pkg/clients/cinder/errors.js";
import { GlanceErrors } from "../pkg/clients/glance/errors.js";
import { KeystoneErrors } from "../pkg/clients/keystone/errors.js";
import { NeutronErrors } from "../pkg/clients/neutron/errors.js";
import { DriverErrors } from "../pkg/compute/drivers/errors.js";
import { AgentErrors } from "../pkg/compute/errors.js";
import { ImageErrors } from "../pkg/compute/images/errors.js";
import { VolumeErrors as ConnectionErrors } from "../pkg/compute/volumes/errors.js";
import { ConductorErrors } from "../pkg/conductor/errors.js";
import type { ErrorKind } from "../pkg/kernel/index.js";
import { CommonErrors } from "../pkg/kernel/index.js";
import { PolicyErrors } from "../pkg/policy/index.js";
import { DbErrors } from "../pkg/platform/db/errors.js";
import { FeedErrors } from "../pkg/platform/db/feed/errors.js";
import { RpcErrors, codeNames } from "../pkg/platform/rpc/index.js";
import { packageRoot } from "../pkg/platform/service/index.js";
import { SharingErrors } from "../pkg/platform/sharing/errors.js";
import { E as SchedulerErrors } from "../pkg/scheduler/errors.js";

const tables: readonly Readonly<Record<string, { readonly kind: ErrorKind }>>[] = [
  CommonErrors,
  RpcErrors,
  SharingErrors,
  PolicyErrors,
  KeystoneErrors,
  ApiErrors,
  CreateErrors,
  ServerImageErrors,
  InterfaceErrors,
  ShelveErrors,
  VolumeAttachmentErrors,
  CellsErrors,
  SchedulerErrors,
  ConductorErrors,
  NeutronErrors,
  GlanceErrors,
  CinderErrors,
  AgentErrors,
  DriverErrors,
  ImageErrors,
  ConnectionErrors,
  DbErrors,
  FeedErrors,
];
const PREFIX = "ERROR_REASON_";
/** Reasons that are given no more: neither the name nor the number comes back. */
const GONE = new Map([["OFFLOADING_NOT_SERVED", 352]]);
const folder = join(packageRoot(), "proto", "kilonova", "api", "v1");
const path = join(folder, "error_reason.proto");

const codes = new Map<string, Set<string>>();
const note = (reason: string, code?: string): void => {
  const known = codes.get(reason) ?? new Set();
  if (code !== undefined) known.add(code);
  codes.set(reason, known);
};
for (const code of Object.values(codeNames)) note(code, code);
for (const table of tables)
  for (const [reason, { kind }] of Object.entries(table)) note(reason, codeNames[kind]);
for (const [reason, code] of promised()) note(reason, code);
for (const reason of GONE.keys())
  if (codes.has(reason)) throw new Error(`${reason} had another meaning once`);

/** What the comments of methods say: `CODE / REASON (note), REASON; CODE / …`. */
function promised(): [reason: string, code: string][] {
  const word = /\b[A-Z]+(?:_[A-Z]+)+\b/g;
  const known = new Set<string>(Object.values(codeNames));
  return readdirSync(folder)
    .filter((file) => file.endsWith(".proto"))
    .flatMap((file) => [
      ...readFileSync(join(folder, file), "utf8").matchAll(/(?:^ {2}\/\/.*\n)+(?= {2}rpc )/gm),
    ])
    .flatMap(([comment]) => (comment.replaceAll(/\n? {2}\/\/ ?/g, " ").split("Errors:")[1] ?? "").split(";"))
    .flatMap((part) => {
      const [code = "", ...reasons] = part.replaceAll(/\([^)]*\)/g, "").match(word) ?? [];
      return known.has(code) ? reasons.map((reason): [string, string] => [reason, code]) : [];
    });
}

const before = (() => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // not written yet
  }
})();
const numbers = new Map(
  [...before.matchAll(/^ {2}ERROR_REASON_(\w+) = (\d+);/gm)].map(([, name = "", number]) => [
    name,
    Number(number),
  ]),
);
let next = Math.max(0, ...numbers.values(), ...GONE.values()) + 1;
const entries = [...codes]
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([reason, set]) => ({ reason, codes: [...set].toSorted(), number: numbers.get(reason) ?? next++ }))
  .toSorted((a, b) => a.number - b.number);

const wanted = `${[
  "// Written by scripts/gen-error-reasons.ts from pkg/*/errors.ts. Do not edit.",
  'syntax = "proto3";',
  "package kilonova.api.v1;",
  "",
  "// Why a call failed, or an operation: a value's name without `ERROR_REASON_` is the `reason` of the",
  "// google.rpc.ErrorInfo whose `domain` is `kilonova.dev`. The same reason means the same with every code. A",
  "// failure without a reason of its own has its code's name. Values are added; none changes its meaning.",
  "enum ErrorReason {",
  `  reserved ${[...GONE.values()].join(", ")};`,
  `  reserved ${[...GONE.keys()].map((reason) => `"${PREFIX}${reason}"`).join(", ")};`,
  "  // Not set.",
  "  ERROR_REASON_UNSPECIFIED = 0;",
  ...entries.flatMap((one) => [
    `  // With ${one.codes.join(" or ")}.`,
    `  ${PREFIX}${one.reason} = ${one.number};`,
  ]),
  "}",
].join("\n")}\n`;
if (!process.argv.includes("--check")) writeFileSync(path, wanted);
else if (before !== wanted) {
  console.error("proto/kilonova/api/v1/error_reason.proto is out of date: run npm run gen");
  process.exitCode = 1;
}
