const numbered = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${letter}${at + 1}`);

/** Lines that were once spoiled without a test noticing, by the file and line of that day. */
const spoiledLines = [
  "api/create/networks.ts:71",
  "api/events/watch.ts:176",
  "api/ops/get-console-output.ts:18",
  "api/ops/get-server.ts:18",
  "api/ops/delete-key-pair.ts:12",
  "api/cells/servers.ts:89",
  "gateway/resources/servers/action-routes.ts:35",
  "gateway/resources/servers/action-routes.ts:44",
  "compute/images/cache.ts:188",
  "compute/images/cache.ts:191",
  "compute/agent/journal.ts:76",
  "compute/agent/commands.ts:146",
  "compute/switch/firewall/rules.ts:45",
  "compute/network/security-groups.ts:51",
  "platform/files/atomic-file.ts:14",
  "platform/db/feed/sequencer.ts:128",
  "cells/adapters/sql/owned-operation.ts:55",
  "cells/adapters/sql/commit-step.ts:49",
  "cells/adapters/sql/commit-step.ts:131",
  "cells/adapters/sql/acquire.ts:48",
  "cells/adapters/sql/accept-operation.ts:63",
  "cells/adapters/sql/accept-operation.ts:72",
  "cells/adapters/sql/accept-operation.ts:73",
  "cells/adapters/sql/client-tokens.ts:21",
  "cells/adapters/sql/quota.ts:24",
  "cells/adapters/sql/server-groups.ts:78",
  "cells/adapters/sql/handover.ts:170",
  "cells/adapters/sql/handover.ts:179",
  "conductor/engine/runner.ts:76",
  "conductor/engine/runner.ts:77",
  "conductor/engine/runner.ts:96",
  "conductor/engine/runner.ts:124",
  "conductor/steps/claim-host.ts:34",
  "conductor/steps/select-destinations.ts:43",
  "scheduler/ops/select-destinations.ts:145",
  "standalone/identity/adapters/sql/tokens.ts:106",
  "standalone/identity/ops/authenticate.ts:124",
];

/** The same, of a later attack. */
const spoiledLater = [
  "compute/drivers/host/cage.ts:59",
  "compute/drivers/host/process-standing.ts:63",
  "platform/rpc/door.ts:116",
  "platform/http/context.ts:72",
  "standalone/identity/adapters/secret-checks.ts:61",
  "standalone/image/domain/upload-ledger.ts:88",
  "standalone/image/ops/admission.ts:36",
  "compute/images/formats/qcow2.ts:57",
  "compute/images/formats/qcow2.ts:73",
  "cells/adapters/rpc/agents-own.ts:30",
];

/**
 * Every finding that the table must have: security, Compute API, Placement, reports of others, spoiled lines.
 */
export const expectedIds: readonly string[] = [
  ...numbered("S", 17),
  ...numbered("A", 12),
  ...numbered("P", 18),
  ...numbered("B", 12),
  ...numbered("H", 6),
  ...numbered("moves-", 50),
  ...[...spoiledLines, ...spoiledLater].map((line) => `T:${line}`),
];
