import type { z } from "zod";
import type { Driver } from "../driver.js";
import type { Isolation } from "./host/isolation.js";

/** The host for which a driver is opened. */
export interface DriverHost {
  readonly name: string;
  /** Address of the host, as hypervisors tell it. */
  readonly address: string;
  /** Folder for what the driver keeps of its guests; not there yet. */
  readonly guestsDir: string;
  /** Folder of prepared images. */
  readonly imagesDir: string;
  /** Part of the machine that the host offers, 0..1. */
  readonly share: number;
}

/** A driver that is not started yet. */
export interface OpenedDriver {
  readonly driver: Driver;
  /** How guests, and tools that open images, are shut in. Unset: guests need neither images nor packets. */
  readonly isolation?: Isolation;
}

/** Values of options. */
export type Parsed<Options extends z.ZodRawShape> = {
  readonly [Name in keyof Options]: z.output<Options[Name]>;
};

/** A hypervisor driver as it is registered in `index.ts`: what the rest knows of it before it is opened. */
export interface DriverKind<Options extends z.ZodRawShape> {
  /** What it does with machines, as the end of a sentence for operators: "runs real machines". */
  readonly does: string;
  /** Whether guests run what is in their image. */
  readonly bootsImages: boolean;
  /** Its own options in the section `compute`, with units and docs; names must not be another driver's. */
  readonly options: Options;
  /** Builds the driver; nothing else of the host is started when this throws. */
  open(host: DriverHost, options: Parsed<Options>): Promise<OpenedDriver>;
}

/** Only for the compiler: options get the types that they declare. */
export const driverKind = <Options extends z.ZodRawShape>(kind: DriverKind<Options>): DriverKind<Options> =>
  kind;
