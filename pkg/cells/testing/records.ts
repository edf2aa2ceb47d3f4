import { sql } from "../store/sql.js";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { DiskConfig, PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { ServerRecords } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { Ctx } from "../../kernel/ctx.js";
import { toTimestamp } from "../../model/wire-time.js";
import { instanceColumns, instanceIdentity } from "../servers/domain/instance-columns.js";
import { toDevice, toMigration } from "../servers/store/server-rows.js";
import type { Store } from "../store/tables.js";
import { insertInto } from "../store/fragments.js";

/** A server in ACTIVE on no host, with what the case needs on top. */
export const aServer = (init: Partial<Server> & { readonly id: string }): Server =>
  Server.fromPartial({
    name: "vm",
    projectId: "project",
    userId: "user",
    hostname: "vm",
    vmState: VmState.VM_STATE_ACTIVE,
    powerState: PowerState.POWER_STATE_RUNNING,
    createdAt: toTimestamp(1_767_225_600_000_000n),
    launchedAt: toTimestamp(1_767_225_601_000_000n),
    generation: 1n,
    diskConfig: DiskConfig.DISK_CONFIG_MANUAL,
    flavor: { id: "1", name: "m1.tiny", vcpus: 1, memoryMib: 512, rootGib: 1 },
    reservationId: "r-1",
    ...init,
  });

/** Puts a record into a database as it is, past all rules. */
export async function putInstance(
  store: Store,
  ctx: Ctx,
  server: Server,
  ports: readonly InstancePort[] = [],
): Promise<void> {
  const record = InstanceRecord.fromPartial({ server, ports: [...ports] });
  const row = { ...instanceIdentity(record), ...instanceColumns(record) };
  await store.db.statement(ctx, "testing.put-instance", (db) =>
    sql`${insertInto(store.t.instance, [row])}`.execute(db),
  );
}

/** All block devices and migrations of a server in a cell, ended ones too. */
export async function recordsOf(store: Store, ctx: Ctx, serverId: string): Promise<ServerRecords> {
  const { t } = store;
  const { rows } = await store.db.statement(ctx, "testing.records-of", (db) =>
    sql<Parameters<typeof toDevice>[0] & { readonly device: boolean }>`
    SELECT true AS device, created_at, id, body, deleted_at FROM ${t.block_device} WHERE server_id = ${serverId}
    UNION ALL SELECT false, created_at, id, body, deleted_at FROM ${t.migration} WHERE server_id = ${serverId}
    ORDER BY device, created_at, id`.execute(db),
  );
  return {
    blockDevices: rows.filter(({ device }) => device).map(toDevice),
    migrations: rows.filter(({ device }) => !device).map(toMigration),
  };
}
