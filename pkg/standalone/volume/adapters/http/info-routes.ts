import { Router } from "express";
import { isoMicros } from "../../../../kernel/index.js";
import { ZONE } from "../../domain/model.js";
import { demandAdmin } from "../../domain/policy.js";
import type { VolumeParts } from "../../ports.js";
import { quotaOf, usageOf } from "../sql/quotas.js";
import { reply } from "./common.js";

/** Limits of the caller's project, and what clients ask about the service itself. */
export function infoRoutes({ db, clock, limits }: VolumeParts): Router {
  const router = Router();
  router.get(
    "/limits",
    reply(async (ctx) => {
      const { projectId } = ctx.actor;
      const [quota, used] = await db.read(ctx, "volume.limits", async (tx) => [
        await quotaOf(tx, projectId, limits),
        await usageOf(tx, projectId),
      ]);
      return {
        limits: {
          rate: [],
          absolute: {
            maxTotalVolumes: quota.volumes,
            totalVolumesUsed: used.volumes,
            maxTotalVolumeGigabytes: quota.gigabytes,
            totalGigabytesUsed: used.gigabytes,
            maxTotalSnapshots: quota.snapshots,
            totalSnapshotsUsed: used.snapshots,
            maxTotalBackups: quota.backups,
            totalBackupsUsed: 0,
            maxTotalBackupGigabytes: quota.backup_gigabytes,
            totalBackupGigabytesUsed: 0,
          },
        },
      };
    }),
  );
  router.get(
    "/extensions",
    reply(async () => ({ extensions: [] })),
  );
  router.get(
    "/os-availability-zone",
    reply(async () => ({
      availabilityZoneInfo: [{ zoneName: ZONE, zoneState: { available: true } }],
    })),
  );
  router.get(
    "/os-services",
    reply(async (ctx) => {
      demandAdmin(ctx.actor, "volume_extension:services:index");
      const service = (binary: string, host: string) => ({
        binary,
        host,
        zone: ZONE,
        status: "enabled",
        state: "up",
        // Both are this process: they were last heard of just now.
        updated_at: isoMicros(clock.now()),
        disabled_reason: null,
      });
      return {
        services: [service("cinder-scheduler", "kilonova"), service("cinder-volume", "kilonova@files")],
      };
    }),
  );
  return router;
}
