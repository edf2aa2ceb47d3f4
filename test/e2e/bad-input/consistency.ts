import type { CloudDatabase } from "./database.js";

const CELLS = ["cell0", "cell1"] as const;
const ALL = ["global", ...CELLS] as const;
const union = (names: readonly string[], each: (schema: string) => string): string =>
  names.map(each).join(" UNION ALL ");

/** Servers that live somewhere: in a cell, or still on their way into one. */
const LIVING = union(
  ALL,
  (s) =>
    `SELECT id, project_id, vcpus, memory_mib, '${s}' AS place FROM ${s}.instance WHERE deleted_at IS NULL AND leaving_to = ''`,
);

/** Moves of servers that are there: what they hold stays until they are confirmed or reverted, or deleted. */
const MOVES = union(
  CELLS,
  (s) =>
    `SELECT m.id, m.server_id FROM ${s}.migration AS m JOIN ${s}.instance AS i ON i.id = m.server_id WHERE i.deleted_at IS NULL AND m.status NOT IN ('confirmed', 'reverted')`,
);

/** Servers on a host, and those whose build an operator's reset has ended: it takes nothing back. */
const holders = (s: string): string =>
  `SELECT id FROM ${s}.instance WHERE deleted_at IS NULL AND (host IS NOT NULL OR id IN (SELECT server_id FROM ${s}.operation WHERE kind = 'server.reset-state'))`;

/**
 * Whether anything is still going on: operations that will do something, hand-overs under way, changes
 * without a number.
 */
export const UNSETTLED = `SELECT (${ALL.map(
  (
    s,
  ) => `(SELECT count(*) FROM ${s}.operation WHERE ready_at IS NOT NULL) + (SELECT count(*) FROM ${s}.dormant_operation)
  + (SELECT count(*) FROM ${s}.instance WHERE leaving_to <> '' OR (current_operation <> '' AND deleted_at IS NULL)) + (SELECT count(*) FROM ${s}.outbox WHERE revision IS NULL)`,
).join(" + ")})::int AS count`;

/** Each must find nothing. */
const CHECKS: readonly (readonly [what: string, sql: string])[] = [
  [
    "an operation that is neither ended nor waiting for an operator",
    union(
      ALL,
      (s) =>
        `SELECT id, kind, state FROM ${s}.operation WHERE state NOT IN ('succeeded', 'failed', 'cancelled', 'preempted', 'handed-over')`,
    ),
  ],
  ["a server that is in two places", `SELECT id FROM (${LIVING}) AS living GROUP BY id HAVING count(*) > 1`],
  [
    "a server without a mapping, or mapped elsewhere",
    `SELECT l.id, l.place, m.database FROM (${LIVING}) AS l LEFT JOIN global.instance_mapping AS m ON m.server_id = l.id WHERE m.database IS DISTINCT FROM l.place OR m.deleted`,
  ],
  [
    "a holding without a server",
    `SELECT h.server_id FROM global.quota_holding AS h LEFT JOIN (${LIVING}) AS l ON l.id = h.server_id WHERE l.id IS NULL`,
  ],
  [
    "a server without a holding, or with a wrong one",
    `SELECT l.id, h.cores, l.vcpus FROM (${LIVING}) AS l LEFT JOIN global.quota_holding AS h ON h.server_id = l.id
    WHERE (h.cores IS DISTINCT FROM l.vcpus OR h.ram IS DISTINCT FROM l.memory_mib OR h.project_id <> l.project_id)
    AND NOT (l.id IN (SELECT server_id FROM (${MOVES}) AS m) AND coalesce(h.cores, 0) >= l.vcpus AND coalesce(h.ram, 0) >= l.memory_mib AND h.project_id = l.project_id)`,
  ],
  [
    "a usage that is not the sum of its holdings",
    `SELECT u.project_id, u.instances, count(h.server_id) AS held FROM global.quota_usage AS u LEFT JOIN global.quota_holding AS h USING (project_id)
    GROUP BY u.project_id, u.instances, u.cores, u.ram HAVING u.instances <> count(h.server_id) OR u.cores <> coalesce(sum(h.cores), 0) OR u.ram <> coalesce(sum(h.ram), 0)`,
  ],
  [
    "an allocation without a server or a move",
    `SELECT a.consumer_id FROM placement.allocation AS a LEFT JOIN (${union(CELLS, holders)} UNION ALL SELECT id FROM (${MOVES}) AS m) AS i ON i.id = a.consumer_id WHERE i.id IS NULL`,
  ],
  [
    "a server on a host without an allocation",
    `SELECT i.id FROM cell1.instance AS i LEFT JOIN placement.allocation AS a ON a.consumer_id = i.id WHERE i.deleted_at IS NULL AND i.host IS NOT NULL AND i.vm_state <> 'ERROR' AND a.consumer_id IS NULL`,
  ],
  [
    "an inventory whose use is not the sum of its allocations",
    `SELECT i.provider_id, i.resource_class, i.used FROM placement.inventory AS i LEFT JOIN placement.allocation AS a USING (provider_id, resource_class)
    GROUP BY i.provider_id, i.resource_class, i.used HAVING i.used <> coalesce(sum(a.amount), 0)`,
  ],
  [
    "a port of a server that is not there",
    `SELECT p.id, p.device_id FROM standalone.network_port AS p WHERE p.device_owner LIKE 'compute:%' AND NOT EXISTS (SELECT 1 FROM (${LIVING}) AS l WHERE l.id = p.device_id)`,
  ],
  ...ALL.map((s): readonly [string, string] => [
    `a gap in the numbers of ${s}'s feed`,
    `SELECT head, compacted, (SELECT count(*) FROM ${s}.outbox WHERE revision > compacted) AS numbered FROM ${s}.feed_state WHERE head - compacted <> (SELECT count(*) FROM ${s}.outbox WHERE revision > compacted)`,
  ]),
];

/** @returns what the database holds that cannot be, with up to five rows each */
export async function contradictions(database: Pick<CloudDatabase, "rows">): Promise<string[]> {
  const found: string[] = [];
  for (const [what, sql] of CHECKS) {
    const rows = await database.rows<Record<string, unknown>>(sql);
    if (rows.length > 0) found.push(`${what}: ${JSON.stringify(rows.slice(0, 5))}`);
  }
  return found;
}
