import type { ResizeServerRequest } from "../../../gen/kilonova/api/v1/server_moves.js";
import { InstanceChange } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { DiskConfig } from "../../../gen/kilonova/type/v1/server.js";
import { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { isOnVolume } from "../cells/servers.js";
import type { LoadedServer } from "../cells/servers.js";
import { knownFlavorOf } from "../create/gather.js";
import { diskConfigOf } from "../domain/disk-config.js";
import { requireResizable } from "../domain/resize-fit.js";
import { awayFrom, hostOf, requireUp } from "../moves/ends.js";
import { id } from "../shape/common.js";
import { oneOf } from "../shape/shape.js";
import { action } from "./action.js";

/**
 * In Nova's order but for quota: the host, what is asked of the disk, the flavor, what its image needs. Quota
 * is taken with the acceptance, and refused last; Nova asks for it before it looks at the image.
 */
export default action<ResizeServerRequest>({
  method: "ResizeServer",
  shape: { flavorId: id, diskConfig: oneOf(DiskConfig) },
  input: async (ctx, { flavorId, diskConfig }, loaded, parts) => {
    const { server, record } = loaded;
    await requireUp(parts, ctx, loaded, hostOf(server));
    const change = diskConfigChange(diskConfig, loaded);
    const flavor = await knownFlavorOf(parts, ctx, flavorId);
    const from = server.flavor ?? Flavor.fromPartial({});
    requireResizable(
      { spec: record.spec, from, to: flavor, onVolume: isOnVolume(loaded) },
      ctx.rights.allows("os_compute_api:servers:create:zero_disk_flavor"),
    );
    return {
      input: { flavor: { ...flavor, projectIds: [] }, ...awayFrom(loaded) },
      ...(change === undefined ? {} : { change }),
      expectedGeneration: server.generation,
    };
  },
});

/** Undefined when nothing is asked for. @throws DISK_CONFIG_DISABLED */
function diskConfigChange(asked: DiskConfig, { server, record }: LoadedServer): InstanceChange | undefined {
  if (asked === DiskConfig.DISK_CONFIG_UNSPECIFIED) return undefined;
  const properties = record.spec?.image?.properties ?? new Map<string, string>();
  const diskConfig = diskConfigOf(asked, { info: { id: server.image?.id ?? "" }, properties });
  return InstanceChange.fromPartial({
    server: { diskConfig },
    updateMask: ["disk_config"],
    spec: { diskConfig },
    specMask: ["disk_config"],
  });
}
