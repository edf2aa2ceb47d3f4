import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../kernel/index.js";
import type { VendorDocuments } from "../metadata/index.js";
import type { VendorData } from "../vendordata/index.js";

/**
 * What the operator tells this guest.
 * @param options.userData  base64; @param options.dynamic  whether to ask the dynamic targets too
 * @throws VENDORDATA_FILE_UNUSABLE, VENDORDATA_FAILED
 */
export async function vendorDocuments(
  ctx: Ctx,
  vendorData: VendorData,
  { server, spec }: InstanceRecord,
  options: { readonly userData: string; readonly dynamic: boolean },
): Promise<VendorDocuments> {
  if (!server || !spec) throw new Error("instance record without server or spec");
  const [fixed, dynamicVendorData] = await Promise.all([
    vendorData.fixed(),
    !options.dynamic
      ? undefined
      : vendorData.dynamic(ctx, {
          projectId: server.projectId,
          instanceUuid: server.id,
          imageId: server.image?.id ?? "",
          userData: options.userData,
          hostname: server.hostname,
          metadata: server.metadata,
          bootRoles: spec.bootRoles,
        }),
  ]);
  return {
    ...(fixed === undefined ? {} : { vendorData: fixed }),
    ...(dynamicVendorData === undefined ? {} : { dynamicVendorData }),
  };
}
