import type { HostService, ListHostsRequest } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { ComputeNode } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { COMPUTE_BINARY } from "../../../model/service-names.js";
import { recorded, seenService, withUse } from "../../hosts/domain/host-records.js";
import type { UseRow } from "../../hosts/domain/host-records.js";
import type { TwinDatabase } from "./database.js";

type HostQuery = Omit<ListHostsRequest, "cell">;

const byNumber = (a: { readonly number: number }, b: { readonly number: number }): number =>
  a.number - b.number;

/** Services by number. */
export const listServices = (
  { services, telemetry }: TwinDatabase,
  { host, binary }: HostQuery,
): HostService[] =>
  [...services.values()]
    .filter((row) => (host === "" || row.host === host) && (binary === "" || row.binary === binary))
    .sort(byNumber)
    .map((row) => {
      const seen = row.binary === COMPUTE_BINARY ? telemetry.get(row.host)?.seen_at : undefined;
      return seenService({ ...row, seen_at: seen ?? null });
    });

/** Compute nodes by number. */
export function listNodes(
  database: TwinDatabase,
  { host, computeNodeId, recordsOnly }: HostQuery,
): ComputeNode[] {
  return [...database.nodes.values()]
    .filter(
      (row) =>
        (host === "" || row.host === host) &&
        (computeNodeId === "" || row.id === computeNodeId || String(row.number) === computeNodeId),
    )
    .sort(byNumber)
    .map((row) => {
      const node = ComputeNode.decode(row.body);
      if (recordsOnly) return recorded(node);
      const told = database.telemetry.get(row.host);
      return {
        ...withUse(node, useOf(database, row.host)),
        uptime: told?.uptime ?? "",
        diskAvailableLeastGib: BigInt(told?.disk_free_gib ?? 0),
      };
    });
}

/** What the instances of a host take together. */
function useOf(database: TwinDatabase, host: string): UseRow {
  const rows = database.onHost(host).map(({ columns }) => columns);
  const sum = (...columns: string[]): number =>
    rows.reduce((total, row) => total + columns.reduce((of, column) => of + Number(row[column]), 0), 0);
  return {
    host,
    vcpus: sum("vcpus"),
    memory: sum("memory_mib"),
    disk: sum("root_gib", "ephemeral_gib"),
    servers: rows.length,
    busy: rows.filter((row) => row["task_state"] !== null).length,
  };
}
