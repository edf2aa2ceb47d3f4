import type { Instant } from "../../../kernel/index.js";

export const statuses = [
  "queued",
  "saving",
  "uploading",
  "importing",
  "active",
  "killed",
  "deactivated",
] as const;
export const visibilities = ["public", "private", "shared", "community"] as const;
export const diskFormats = [
  "ami",
  "ari",
  "aki",
  "vhd",
  "vhdx",
  "vmdk",
  "raw",
  "qcow2",
  "vdi",
  "ploop",
  "iso",
] as const;
export const containerFormats = ["ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"] as const;
export const memberStatuses = ["pending", "accepted", "rejected"] as const;

export type ImageStatus = (typeof statuses)[number];
export type Visibility = (typeof visibilities)[number];
export type MemberStatus = (typeof memberStatuses)[number];

/** An image. Sizes are bytes, `minDisk` GiB, `minRam` MiB. */
export interface Image {
  readonly id: string;
  readonly name: string | null;
  readonly owner: string | null;
  readonly status: ImageStatus;
  readonly visibility: Visibility;
  readonly protected: boolean;
  readonly hidden: boolean;
  readonly diskFormat: string | null;
  readonly containerFormat: string | null;
  readonly minDisk: number;
  readonly minRam: number;
  readonly size: number | null;
  readonly virtualSize: number | null;
  readonly checksum: string | null;
  readonly hashAlgo: string | null;
  readonly hashValue: string | null;
  /** Names the file that holds the data, or will. */
  readonly uploadId: string | null;
  readonly properties: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** The parts of an image that a client may set. */
export interface Attributes {
  readonly name: string | null;
  readonly owner: string | null;
  readonly visibility: Visibility;
  readonly protected: boolean;
  readonly hidden: boolean;
  readonly diskFormat: string | null;
  readonly containerFormat: string | null;
  readonly minDisk: number;
  readonly minRam: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
}

export interface Member {
  readonly imageId: string;
  readonly memberId: string;
  readonly status: MemberStatus;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** What is known of uploaded data. Hashes are hex. */
export interface DataFacts {
  readonly size: number;
  readonly virtualSize: number | null;
  readonly checksum: string;
  readonly hashAlgo: "sha512";
  readonly hashValue: string;
}
