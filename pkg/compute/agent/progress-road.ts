import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Client } from "../../platform/rpc/index.js";
import type { ProgressRoad } from "./progress-teller.js";

/** Tells the cell how far commands are. What it refuses is told again as long as the command runs. */
export const progressRoad =
  (
    cells: Pick<Client<typeof HostsServiceDefinition>, "reportProgress">,
    cell: string,
    host: string,
  ): ProgressRoad =>
  async (ctx, of, progress) =>
    (await cells.reportProgress(ctx, { cell, host, ...of, progress })).kept;
