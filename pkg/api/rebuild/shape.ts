import type { RebuildServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import type { Server } from "../../../gen/kilonova/api/v1/server.js";
import type { InjectedFile } from "../../../gen/kilonova/type/v1/server_spec.js";
import { distinctCertificates, filePath, userData } from "../create/shape.js";
import { newServerValues } from "../ops/update-server.js";
import { clientToken, id, metadataKey, metadataValue, optionalName, uuid } from "../shape/common.js";
import type { Rule, Shape } from "../shape/shape.js";
import { given, list, map, object, optional, text } from "../shape/shape.js";

/** What a rebuild may change besides the image. */
const PATHS = [
  "name",
  "description",
  "hostname",
  "metadata",
  "key_name",
  "user_data",
  "disk_config",
  "access_ip_v4",
  "access_ip_v6",
  "trusted_image_certificates",
] as const;
export type RebuildPath = (typeof PATHS)[number];

const changeable: Rule<string[] | undefined> = (paths, path, report) => {
  for (const one of paths ?? [])
    if (!PATHS.some((known) => known === one)) report(path, `"${one}" cannot be changed`);
};

/** @returns what a checked mask names */
export const rebuildPaths = (mask: readonly string[] = []): ReadonlySet<RebuildPath> =>
  new Set(PATHS.filter((path) => mask.includes(path)));

/** What a rebuild must look like before anything is read. */
export const rebuildShape: Shape<RebuildServerRequest> = {
  serverId: id,
  clientToken,
  imageId: uuid,
  adminPassword: given(text({ max: 255 })),
  files: list(object<InjectedFile>({ path: filePath }), 64),
  server: optional(
    object<Server>({
      ...newServerValues,
      metadata: map(metadataKey, metadataValue),
      keyName: given(optionalName),
      userData: optional(userData),
      trustedImageCertificates: distinctCertificates,
    }),
  ),
  updateMask: changeable,
};
