import { join, resolve } from "node:path";
import { driverNames } from "../../../pkg/compute/index.js";
import type { DriverName } from "../../../pkg/compute/index.js";
import { defineErrors, recordOf } from "../../../pkg/kernel/index.js";
import { machine } from "./machine.js";

export const UpErrors = defineErrors("up", {
  BAD_OPTION: ["invalid", (p: { option: string; problem: string }) => `${p.option} ${p.problem}.`],
  PORT_BUSY: [
    "unavailable",
    (p: { port: number; service: string }) =>
      `Port ${p.port} (${p.service}) is in use by another program. End it, or shift all ports: npm start -- --port-offset 1000`,
  ],
  DISK_FULL: [
    "unavailable",
    (p: { home: string }) =>
      `The disk of ${p.home} is full. Nothing that was stored is lost: make room and start again.`,
  ],
  OTHER_DATABASE: [
    "refused",
    (p: { home: string }) =>
      `The database in ${p.home} was made by another version of Kilonova. Nothing was touched. Start that version, or forget it all: npm start -- --fresh`,
  ],
});

/** The fixed ports on 127.0.0.1, before the offset. */
const basePorts = {
  identity: 5000,
  console: 6080,
  publicGrpc: 8770,
  status: 8771,
  compute: 8774,
  metadata: 8775,
  volume: 8776,
  placement: 8778,
  image: 9292,
  network: 9696,
} as const;
export type Ports = Readonly<Record<keyof typeof basePorts, number>>;
const servers = Object.keys(basePorts) as readonly (keyof typeof basePorts)[];

export interface UpOptions {
  readonly home: string;
  readonly ports: Ports;
  readonly driver: DriverName;
  readonly hosts: readonly string[];
  readonly fresh: boolean;
  /** etcd endpoints; empty uses the in-process coordination store. */
  readonly etcd: readonly string[];
}

/** Flags as the command line gives them. */
export interface UpFlags {
  readonly driver?: string;
  readonly hosts?: string;
  readonly portOffset?: string;
  readonly fresh?: boolean;
  readonly etcd?: string;
}

/** @param home KILONOVA_HOME or undefined for `.kilonova` under the project */
export function readOptions(flags: UpFlags, home: string | undefined, projectRoot: string): UpOptions {
  const driver = driverNames.find((name) => name === (flags.driver ?? "qemu"));
  if (driver === undefined)
    throw UpErrors.BAD_OPTION({ option: "--driver", problem: `must be ${driverNames.join(" or ")}` });
  const count = integer("--hosts", flags.hosts ?? "2", 1, 10_000);
  const offset = integer("--port-offset", flags.portOffset ?? "0", 0, 55_000);
  return {
    home: resolve(home ?? join(projectRoot, ".kilonova")),
    ports: recordOf(servers, (name) => basePorts[name] + offset),
    driver,
    hosts: hostNames(count),
    fresh: flags.fresh ?? false,
    etcd: (flags.etcd ?? "").split(",").filter(Boolean),
  };
}

const hostNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${machine}-${i + 1}`);

function integer(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max)
    throw UpErrors.BAD_OPTION({ option, problem: `must be a whole number from ${min} to ${max}` });
  return value;
}
