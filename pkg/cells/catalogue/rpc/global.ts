import type {
  AcceptServersResponse,
  GlobalServiceDefinition,
} from "../../../../gen/kilonova/cells/v1/global_service.js";
import { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import { KeyPair } from "../../../../gen/kilonova/type/v1/key_pair.js";
import { KeyedLock } from "../../../kernel/concurrency.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { KilonovaError } from "../../../kernel/errors.js";
import { parseOperationName } from "../../../model/operation-name.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { serverOf } from "../../servers/domain/records.js";
import { awakening } from "../../operations/hand-over/awakening.js";
import type { Waker } from "../../ports.js";
import type { Stores } from "../../stores.js";
import { acceptServers } from "../../servers/store/accept-servers.js";
import type { StoreDeps } from "../../store/deps.js";
import { FlavorAnswers } from "../store/flavor-answers.js";
import { createFlavor, deleteFlavor, getFlavor, listFlavors, updateFlavor } from "../store/flavors.js";
import { createKeyPair, deleteKeyPair, getKeyPair, listKeyPairs } from "../store/key-pairs.js";
import { getMappings, listCells } from "../../servers/store/mappings.js";
import { presentOperation } from "../../../model/operation-view.js";
import { getQuota, releaseHoldings } from "../../quota/store/quota.js";
import type { DefaultLimits } from "../../quota/store/quota.js";
import { getOperation } from "../../operations/store/read-operations.js";
import { getInstance } from "../../servers/store/read-instances.js";

export interface GlobalDeps {
  readonly stores: Stores;
  readonly deps: StoreDeps;
  readonly waker: Waker;
  readonly defaultLimits: DefaultLimits;
}

/** Serves what belongs to no cell. */
export function globalHandlers({
  stores,
  deps,
  waker,
  defaultLimits,
}: GlobalDeps): Handlers<GlobalServiceDefinition> {
  const { global } = stores;
  const flavors = new FlavorAnswers();
  // A project's creations wait for each other at its usage row anyway: here they do so without a connection,
  // and without PostgreSQL's crowd at one row.
  const creations = new KeyedLock();
  const { whereAwake } = awakening({ stores, deps }, waker);
  /** What an earlier call with the same token was answered, as it is now, wherever it is now. */
  const replay = async (ctx: Ctx, names: readonly string[]): Promise<AcceptServersResponse> => {
    const found = await Promise.all(
      names.map(async (name) => {
        const serverId = parseOperationName(name)?.serverId ?? "";
        const store = await stores.locate(ctx, "", serverId);
        const request = {
          database: store.name,
          serverId,
          projectId: "",
          withDeleted: true,
          withUserData: false,
        };
        const [operation, record] = await whereAwake(ctx, store, serverId, () =>
          Promise.all([getOperation(store, ctx, name), getInstance(store, deps, ctx, request)]),
        );
        return { operation: presentOperation(operation), server: serverOf(record) };
      }),
    );
    return {
      servers: found.map(({ server }) => server),
      operations: found.map(({ operation }) => operation),
      replayed: true,
    };
  };
  return {
    acceptServers: async (ctx, request) => {
      const accepted = await creations.run(request.servers[0]?.server?.projectId ?? "", () =>
        acceptServers(global, deps, ctx, request, defaultLimits),
      );
      if (accepted.replayed !== undefined) return replayMoving(ctx, accepted.replayed, replay);
      for (const { name } of accepted.operations) waker.wake(ctx, global.name, name);
      return { servers: [...accepted.servers], operations: [...accepted.operations], replayed: false };
    },
    getInstanceMappings: async (ctx, request) => ({ mappings: await getMappings(global, ctx, request) }),
    listCells: async (ctx) => ({ cells: await listCells(global, ctx) }),
    getQuota: async (ctx, { projectId, userId }) => ({
      limits: await getQuota(global, ctx, projectId, userId, defaultLimits),
    }),
    releaseHoldings: async (ctx, { serverIds }) => {
      await releaseHoldings(global, ctx, serverIds);
      return {};
    },
    createStoredFlavor: (ctx, { flavor, ifAbsent }) =>
      flavors.change(async () => ({
        flavor: await createFlavor(global, deps, ctx, flavor ?? Flavor.fromPartial({}), ifAbsent),
      })),
    getStoredFlavor: (ctx, { flavorId, projectId, seeAll }) =>
      flavors.get(JSON.stringify([flavorId, projectId, seeAll]), async () => ({
        flavor: await getFlavor(global, ctx, flavorId, projectId, seeAll),
      })),
    listStoredFlavors: (ctx, request) =>
      flavors.get(JSON.stringify(request), () => listFlavors(global, ctx, request)),
    updateStoredFlavor: (ctx, request) =>
      flavors.change(async () => ({ flavor: await updateFlavor(global, deps, ctx, request) })),
    deleteStoredFlavor: (ctx, { flavorId }) =>
      flavors.change(async () => {
        await deleteFlavor(global, deps, ctx, flavorId);
        return {};
      }),
    createStoredKeyPair: async (ctx, { keyPair }) => ({
      keyPair: await createKeyPair(
        global,
        deps,
        ctx,
        keyPair ?? KeyPair.fromPartial({}),
        ctx.actor.projectId,
        defaultLimits,
      ),
    }),
    getStoredKeyPair: async (ctx, { userId, name }) => ({
      keyPair: await getKeyPair(global, ctx, userId, name),
    }),
    listStoredKeyPairs: (ctx, request) => listKeyPairs(global, ctx, request),
    deleteStoredKeyPair: async (ctx, { userId, name }) => {
      await deleteKeyPair(global, ctx, userId, name);
      return {};
    },
  };
}

/** A server may be handed over between looking it up and reading it: once more finds it. */
async function replayMoving(
  ctx: Ctx,
  names: readonly string[],
  replay: (ctx: Ctx, names: readonly string[]) => Promise<AcceptServersResponse>,
): Promise<AcceptServersResponse> {
  try {
    return await replay(ctx, names);
  } catch (error) {
    if (
      error instanceof KilonovaError &&
      (error.reason === "SERVER_MOVED" ||
        error.reason === "SERVER_NOT_FOUND" ||
        error.reason === "OPERATION_NOT_FOUND")
    )
      return replay(ctx, names);
    throw error;
  }
}
