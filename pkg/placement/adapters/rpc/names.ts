import type { PlacementOps } from "../../ops/index.js";
import type { PlacementHandlers } from "./handlers.js";

type Served =
  | "listTraits"
  | "ensureTrait"
  | "deleteTrait"
  | "listResourceClasses"
  | "ensureResourceClass"
  | "renameResourceClass"
  | "deleteResourceClass";

export const nameHandlers = (ops: PlacementOps): Pick<PlacementHandlers, Served> => ({
  listTraits: async (ctx, { names, prefix, associated }) => ({
    traits: await ops.traits.list(ctx, { names, prefix, associated }),
  }),
  ensureTrait: async (ctx, { name }) => ({ created: await ops.traits.ensure(ctx, name) }),
  deleteTrait: async (ctx, { name }) => {
    await ops.traits.remove(ctx, name);
    return {};
  },
  listResourceClasses: async (ctx, { name }) => ({ resourceClasses: await ops.classes.list(ctx, name) }),
  ensureResourceClass: async (ctx, { name, mustBeNew }) => ({
    created: await ops.classes.ensure(ctx, name, mustBeNew),
  }),
  renameResourceClass: async (ctx, { name, newName }) => {
    await ops.classes.rename(ctx, name, newName);
    return {};
  },
  deleteResourceClass: async (ctx, { name }) => {
    await ops.classes.remove(ctx, name);
    return {};
  },
});
