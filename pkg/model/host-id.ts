import { createHash } from "node:crypto";

/**
 * What tenants see instead of a host's name: the same for one project and host, unrelated otherwise; ""
 * without a host.
 * @source Nova: SHA-224 over project id and host, hex
 */
export const hostIdOf = (projectId: string, host: string): string =>
  host === ""
    ? ""
    : createHash("sha224")
        .update(projectId + host, "utf8")
        .digest("hex");
