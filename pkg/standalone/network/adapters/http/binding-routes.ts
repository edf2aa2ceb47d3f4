import { Router } from "express";
import { z } from "zod";
import { pathOf } from "../../../../platform/http/index.js";
import type { InactiveBinding, Port } from "../../domain/model.js";
import { demandTrust } from "../../domain/policy.js";
import { portEvents } from "../../domain/port-events.js";
import { bindingJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import { announce } from "../../ops/announce.js";
import type { NetworkParts } from "../../ports.js";
import { deleteBinding, getPort, inactiveBindings, putBinding, updatePort } from "../sql/ports.js";
import { bodyOf, idOf, reply } from "./common.js";
import { profile, shortText } from "./fields.js";

const createBody = z.strictObject({
  host: shortText.min(1),
  vnic_type: shortText.optional(),
  profile: profile.nullish(),
});
const updateBody = z.strictObject({ vnic_type: shortText.optional(), profile: profile.nullish() });

/**
 * Bindings of one port to several hosts (extension `binding-extended`), of which one is active: live
 * migration's tool.
 */
export function bindingRoutes(parts: NetworkParts): Router {
  const { db, clock } = parts;
  const router = Router();
  const path = "/v2.0/ports/:id/bindings";
  const activeOf = (port: Port): InactiveBinding => ({
    portId: port.id,
    host: port.hostId,
    vnicType: port.vnicType,
    profile: port.bindingProfile,
  });

  router.get(
    path,
    reply(async (ctx, req) => {
      demandTrust(ctx.actor, "get_port_binding");
      return db.read(ctx, "port.bindings", async (tx) => {
        const port = await getPort(tx, ctx.actor, idOf(req));
        const others = await inactiveBindings(tx, port.id);
        return {
          bindings: [
            ...(port.hostId === "" ? [] : [bindingJson(activeOf(port), true)]),
            ...others.map((one) => bindingJson(one, false)),
          ],
        };
      });
    }),
  );
  router.post(
    path,
    reply(async (ctx, req) => {
      demandTrust(ctx.actor, "create_port_binding");
      const wish = bodyOf(req, "binding", createBody);
      const binding = await db.write(ctx, "port.binding.create", async (tx) => {
        const port = await getPort(tx, ctx.actor, idOf(req));
        const taken =
          port.hostId === wish.host ||
          (await inactiveBindings(tx, port.id)).some((one) => one.host === wish.host);
        if (taken) throw E.PORT_BINDING_ALREADY_EXISTS({ id: port.id, host: wish.host });
        const made: InactiveBinding = {
          portId: port.id,
          host: wish.host,
          vnicType: wish.vnic_type ?? port.vnicType,
          profile: wish.profile ?? {},
        };
        await putBinding(tx, made);
        return made;
      });
      return { binding: bindingJson(binding, false) };
    }, 201),
  );
  router.get(
    `${path}/:host`,
    reply(async (ctx, req) => {
      demandTrust(ctx.actor, "get_port_binding");
      const host = pathOf(req, "host");
      return db.read(ctx, "port.binding", async (tx) => {
        const port = await getPort(tx, ctx.actor, idOf(req));
        if (port.hostId === host && host !== "") return { binding: bindingJson(activeOf(port), true) };
        const found = (await inactiveBindings(tx, port.id)).find((one) => one.host === host);
        if (!found) throw E.PORT_BINDING_NOT_FOUND({ id: port.id, host });
        return { binding: bindingJson(found, false) };
      });
    }),
  );
  router.put(
    `${path}/:host`,
    reply(async (ctx, req) => {
      demandTrust(ctx.actor, "update_port_binding");
      const host = pathOf(req, "host");
      const wish = bodyOf(req, "binding", updateBody);
      return db.write(ctx, "port.binding.update", async (tx) => {
        const port = await getPort(tx, ctx.actor, idOf(req));
        const active = port.hostId === host;
        const found = active
          ? activeOf(port)
          : (await inactiveBindings(tx, port.id)).find((one) => one.host === host);
        if (!found) throw E.PORT_BINDING_NOT_FOUND({ id: port.id, host });
        const next = {
          ...found,
          vnicType: wish.vnic_type ?? found.vnicType,
          profile: wish.profile === undefined ? found.profile : (wish.profile ?? {}),
        };
        if (active)
          await updatePort(tx, port, {
            ...port,
            vnicType: next.vnicType,
            bindingProfile: next.profile,
            revision: port.revision + 1,
            updatedAt: clock.now(),
          });
        else await putBinding(tx, next);
        return { binding: bindingJson(next, active) };
      });
    }),
  );
  router.put(
    `${path}/:host/activate`,
    reply(async (ctx, req) => {
      demandTrust(ctx.actor, "activate_port_binding");
      const host = pathOf(req, "host");
      const { before, after, binding } = await db.write(ctx, "port.binding.activate", async (tx) => {
        const port = await getPort(tx, ctx.actor, idOf(req));
        if (port.hostId === host) throw E.PORT_BINDING_ALREADY_ACTIVE({ id: port.id, host });
        const found = (await inactiveBindings(tx, port.id)).find((one) => one.host === host);
        if (!found) throw E.PORT_BINDING_NOT_FOUND({ id: port.id, host });
        await deleteBinding(tx, port.id, host);
        if (port.hostId !== "") await putBinding(tx, activeOf(port));
        const next: Port = {
          ...port,
          hostId: host,
          vnicType: found.vnicType,
          bindingProfile: found.profile,
          status: port.adminStateUp ? "ACTIVE" : "DOWN",
          revision: port.revision + 1,
          updatedAt: clock.now(),
        };
        await updatePort(tx, port, next);
        return { before: port, after: next, binding: found };
      });
      await announce(parts, ctx, portEvents(before, after));
      return { binding: bindingJson(binding, true) };
    }),
  );
  router.delete(
    `${path}/:host`,
    reply(async (ctx, req) => {
      demandTrust(ctx.actor, "delete_port_binding");
      const host = pathOf(req, "host");
      const { before, after } = await db.write(ctx, "port.binding.delete", async (tx) => {
        const port = await getPort(tx, ctx.actor, idOf(req));
        if (port.hostId !== host || host === "") {
          if (!(await deleteBinding(tx, port.id, host)))
            throw E.PORT_BINDING_NOT_FOUND({ id: port.id, host });
          return { before: port, after: port };
        }
        const next: Port = {
          ...port,
          hostId: "",
          bindingProfile: {},
          status: "DOWN",
          revision: port.revision + 1,
          updatedAt: clock.now(),
        };
        await updatePort(tx, port, next);
        return { before: port, after: next };
      });
      await announce(parts, ctx, portEvents(before, after));
    }),
  );
  return router;
}
