import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endVolumeDaemonsBelow } from "../../../pkg/compute/index.js";
import { Cloud } from "../support/cloud.js";
import { OpenStackShell } from "../support/openstack-shell.js";

/** A row of a list, or the fields of one thing, as `-f json` prints them. */
export type Fields = Readonly<Record<string, unknown>>;

/** The cloud that the commands are tried on, an administrator and a member. */
export class Stage {
  /** For files that commands read and write. */
  readonly directory = mkdtempSync(join(tmpdir(), "kilonova-cli-"));
  #cloud: Cloud | undefined;
  readonly #shells: OpenStackShell[] = [];
  #admin: OpenStackShell | undefined;
  #demo: OpenStackShell | undefined;

  async open(): Promise<void> {
    this.#cloud = await Cloud.start({ portOffset: 14_000, args: ["--driver", "fake", "--hosts", "1"] });
    this.#admin = this.as(this.#cloud.credentials("admin"));
    this.#demo = this.as(this.#cloud.credentials("demo"));
  }

  get admin(): OpenStackShell {
    return need(this.#admin);
  }
  get demo(): OpenStackShell {
    return need(this.#demo);
  }

  /** What `source demo-openrc.sh` sets, with changes; undefined takes a variable away. */
  credentials(changes: Readonly<Record<string, string | undefined>>): Record<string, string> {
    const all = Object.entries({ ...need(this.#cloud).credentials("demo"), ...changes });
    return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  /** One more user of the cloud. */
  as(credentials: Readonly<Record<string, string>>): OpenStackShell {
    const shell = new OpenStackShell(credentials);
    this.#shells.push(shell);
    return shell;
  }

  async close(): Promise<void> {
    for (const shell of this.#shells) await shell.close();
    rmSync(this.directory, { recursive: true, force: true });
    if (this.#cloud === undefined) return;
    await this.#cloud.stop();
    await endVolumeDaemonsBelow(this.#cloud.home);
    this.#cloud.forget();
  }
}

/** The values of a list's column. */
export const column = (rows: readonly Fields[], name: string): unknown[] => rows.map((row) => row[name]);

/** Some fields of one thing, in order. */
export const pick = (fields: Fields, ...names: readonly string[]): unknown[] =>
  names.map((name) => fields[name]);

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the cloud is not up");
  return value;
}
