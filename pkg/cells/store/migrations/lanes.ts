/**
 * Operations of one server side by side. At most one of a lane has its turn (0), and no two wait at one
 * place; the lane "life" has its slot in the row of its instance.
 */
export const laneStatements: readonly string[] = [
  `ALTER TABLE operation ADD COLUMN lane text NOT NULL DEFAULT 'life'`,
  `ALTER TABLE operation ADD COLUMN turn int8 NOT NULL DEFAULT 0`,
  `CREATE UNIQUE INDEX operation_lane_once ON operation (server_id, lane, turn)
    WHERE lane <> 'life' AND state IN ('running', 'parked', 'undoing')`,
];
