import type { ServerGroup } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import { groupPolicyWord } from "../../model/server-group-policy.js";
import type { HostRef, Ports } from "../ports.js";

/**
 * The group that a server is in, as the scheduler wants it; undefined when it is in none, or the group is
 * deleted by now.
 */
export async function groupOf(
  ports: Pick<Ports, "groups">,
  ctx: Ctx,
  spec: ServerSpec | undefined,
): Promise<ServerGroup | undefined> {
  if (spec === undefined || spec.serverGroupId === "") return undefined;
  try {
    const { serverGroup, memberHosts } = await ports.groups.getStoredServerGroup(ctx, {
      serverGroupId: spec.serverGroupId,
      projectId: "",
    });
    if (serverGroup === undefined) return undefined;
    return {
      id: serverGroup.id,
      policy: groupPolicyWord(serverGroup.policy),
      maxServerPerHost: serverGroup.maxServerPerHost ?? 0,
      memberIds: serverGroup.memberIds,
      memberHosts,
    };
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "SERVER_GROUP_NOT_FOUND") return undefined;
    throw error;
  }
}

/**
 * Tells the server's group where it is going to be, or that it is nowhere; of servers without a group
 * nothing.
 * @param returns  it is a fact, since the server was there before: the policy is not asked
 * @returns whether the group's policy allows it; views that lag, or another scheduler, may have chosen
 *   otherwise
 */
export async function placeInGroup(
  ports: Pick<Ports, "groups">,
  ctx: Ctx,
  spec: ServerSpec | undefined,
  serverId: string,
  place: HostRef | undefined,
  returns = false,
): Promise<boolean> {
  if (spec === undefined || spec.serverGroupId === "") return true;
  try {
    await ports.groups.placeGroupMember(ctx, {
      serverGroupId: spec.serverGroupId,
      serverId,
      cell: place?.cell ?? "",
      host: place?.host ?? "",
      returns,
    });
    return true;
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "GROUP_POLICY_VIOLATED") return false;
    throw error;
  }
}
