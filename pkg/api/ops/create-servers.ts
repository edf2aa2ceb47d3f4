import { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { CreateServersResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { Server as StoredServer } from "../../../gen/kilonova/cells/v1/server.js";
import { planCreate } from "../create/plan.js";
import { acceptedServer } from "../create/server-record.js";
import { createShape } from "../create/shape.js";
import { bodyHash, sortedMap } from "../crypto/hashes.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { maskOf, presentServers } from "../view/server-view.js";
import { GLOBAL } from "../../model/database-names.js";
import { orNone } from "../../model/presence.js";

/**
 * Accepts servers: shape, then rights, then what the request says by itself, then everything it refers to
 * (read at once), then one transaction. Nothing is stored before that transaction, so a failure leaves
 * nothing behind.
 */
export const createServers = (parts: Parts): Guarded<CreateServersRequest, CreateServersResponse> =>
  guarded(createShape, own, async (ctx, request) => {
    const once = {
      clientToken: request.clientToken,
      bodyHash: Buffer.from(hashOf(request)),
      actor: { ...ctx.actor, roles: [...ctx.actor.roles] },
    };
    const { accepted, batch } = await planCreate(parts, ctx, request).then(
      async (plan) => ({
        batch: plan.batch,
        accepted: await parts.global.acceptServers(ctx, {
          ...once,
          servers: Array.from({ length: plan.batch.count }, (_, index) =>
            acceptedServer(plan.batch, index, parts.ids.uuid()),
          ),
          minCount: plan.minCount,
          traceparent: ctx.span.traceparent,
        }),
      }),
      // What the first call referred to may be gone by now, but not what it made.
      async (refusal: unknown) => {
        const earlier = request.clientToken === "" ? undefined : await parts.global.acceptServers(ctx, once);
        if (earlier?.replayed !== true) throw refusal;
        return { batch: undefined, accepted: earlier };
      },
    );
    const mask = maskOf(ctx, { hostInfo: false, userData: false });
    return {
      servers: await presentServers(
        ctx,
        parts.directory,
        mask,
        accepted.servers.map((server) => ({ server, database: cellOf(server) })),
      ),
      operations: accepted.operations,
      reservationId: accepted.servers[0]?.reservationId ?? batch?.reservationId ?? "",
      // It is stored nowhere in clear: a repeated call cannot tell it again.
      adminPassword: accepted.replayed ? undefined : batch?.adminPassword,
      replayed: accepted.replayed,
    };
  });

/** Where a server is by now: new ones are in no cell, those of a repeated call may have a host in one. */
const cellOf = ({ hostInfo }: StoredServer): string => orNone(hostInfo?.cell) ?? GLOBAL;

/** Equal requests hash equally, whatever token they carry and in whatever order their maps came. */
const hashOf = (request: CreateServersRequest): Uint8Array =>
  bodyHash(
    CreateServersRequest.encode({
      ...request,
      clientToken: "",
      metadata: sortedMap(request.metadata),
      schedulerHints: request.schedulerHints && {
        ...request.schedulerHints,
        others: sortedMap(request.schedulerHints.others),
      },
    }).finish(),
  );
