import type { StepCall } from "../engine/kind.js";

/** Name of the server's host; "" while it has none. */
export const hostOf = ({ server }: Pick<StepCall, "server">): string => server.hostInfo?.host ?? "";
