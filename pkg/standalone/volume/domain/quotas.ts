import type { VolumeConfig } from "../config.js";

/** Quotas that Cinder knows; those without data here are kept and told, and limit nothing. */
export const quotaResources = [
  "volumes",
  "snapshots",
  "gigabytes",
  "per_volume_gigabytes",
  "backups",
  "backup_gigabytes",
  "groups",
] as const;
export type QuotaResource = (typeof quotaResources)[number];
export type QuotaLimits = Readonly<Record<QuotaResource, number>>;

export const quotaDefaults = (config: VolumeConfig): QuotaLimits => ({
  volumes: config.quotaVolumes,
  snapshots: config.quotaSnapshots,
  gigabytes: config.quotaGigabytes,
  per_volume_gigabytes: config.perVolumeGigabytes,
  backups: 10,
  backup_gigabytes: 1_000,
  groups: 10,
});

/** What a project has. */
export interface Usage {
  readonly volumes: number;
  readonly snapshots: number;
  readonly gigabytes: number;
}

export const usedOf = (usage: Usage, resource: QuotaResource): number =>
  resource === "volumes" || resource === "snapshots" || resource === "gigabytes" ? usage[resource] : 0;
