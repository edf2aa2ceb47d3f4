import { UNSETTLED, contradictions } from "../e2e/bad-input/consistency.js";
import { everywhere } from "./everywhere.js";
import { toldServers } from "./host-state.js";
import { imageFiles, journals, onHosts } from "./on-hosts.js";
import type { SoakCloud } from "./soak-cloud.js";
import { volumesAgree } from "./volume-checks.js";
import type { Volumes } from "./volumes.js";

/** Each must find nothing when everything has settled. */
const LEFT_OVER: readonly (readonly [what: string, sql: string])[] = [
  [
    "a server with a task state",
    everywhere(
      (s) =>
        `SELECT id, vm_state, task_state FROM ${s}.instance WHERE deleted_at IS NULL AND task_state IS NOT NULL AND task_state <> ''`,
    ),
  ],
  [
    "an operation that has not ended",
    everywhere(
      (s) =>
        `SELECT id, kind, state, current_step FROM ${s}.operation WHERE state IN ('running', 'parked', 'undoing', 'needs-operator')`,
    ),
  ],
  [
    "secrets of an operation that has ended",
    everywhere(
      (s) =>
        `SELECT id, kind, state FROM ${s}.operation WHERE secrets IS NOT NULL AND length(secrets) > 0 AND state NOT IN ('running', 'parked', 'undoing', 'needs-operator')`,
    ),
  ],
  [
    "an event of a timeline that has not ended",
    everywhere(
      (s) => `SELECT action_id AS id, event, step FROM ${s}.instance_action_event WHERE finished_at IS NULL`,
    ),
  ],
  ["a claim of quota", "SELECT * FROM global.quota_claim"],
];

/**
 * Each must find nothing when all servers are gone. Resetting a server's state leaves what was being made to
 * its deletion.
 */
const LEFT_OVER_AT_LAST: typeof LEFT_OVER = [
  [
    "an image that nobody fills any more",
    "SELECT id, name, status FROM standalone.image_image WHERE status <> 'active'",
  ],
  [
    "a port that was made for a server and belongs to none",
    "SELECT id, status FROM standalone.network_port WHERE device_id = '' AND name NOT LIKE 'soak-%'",
  ],
  [
    "a port that is bound and belongs to nobody",
    "SELECT id, name, host_id FROM standalone.network_port WHERE device_id = '' AND host_id <> ''",
  ],
];

/** @returns what is not at rest yet: operations by kind and state */
export async function unsettled(cloud: SoakCloud): Promise<string> {
  const [left] = await cloud.deployment.query<{ count: number }>(UNSETTLED);
  if (left?.count === 0) return "";
  const rows = await cloud.deployment.query(
    everywhere(
      (s) =>
        `SELECT id, server_id, kind, state, current_step, waiting_for FROM ${s}.operation WHERE state IN ('running', 'parked', 'undoing') OR ready_at IS NOT NULL`,
    ),
  );
  return `${left?.count} unsettled: ${JSON.stringify(rows.slice(0, 20))}`;
}

/**
 * Everything that must agree when nothing goes on any more.
 * @param atLast  whether all servers are deleted
 * @returns what does not, each with up to five rows
 */
export async function disagreements(cloud: SoakCloud, volumes: Volumes, atLast: boolean): Promise<string[]> {
  const { deployment } = cloud;
  const told = await toldServers(cloud);
  const found = await contradictions({
    rows: async <T>(sql: string, values: readonly unknown[]) => [
      ...(await deployment.query<T & object>(sql, values)),
    ],
  });
  for (const [what, sql] of [...LEFT_OVER, ...(atLast ? LEFT_OVER_AT_LAST : [])]) {
    const rows = await deployment.query(sql);
    if (rows.length > 0) found.push(`${what}: ${JSON.stringify(rows.slice(0, 5))}`);
  }
  return [
    ...found,
    ...(await onHosts(cloud, told)),
    ...(await volumesAgree(cloud, volumes, { told, atLast })),
    ...(atLast ? await imageFiles(cloud) : []),
    ...journals(cloud, atLast ? new Set() : told),
  ];
}
