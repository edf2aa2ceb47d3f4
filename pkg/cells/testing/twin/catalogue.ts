import type {
  GlobalServiceDefinition,
  ListStoredFlavorsRequest,
  ListStoredKeyPairsRequest,
} from "../../../../gen/kilonova/cells/v1/global_service.js";
import { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import { KeyPair } from "../../../../gen/kilonova/type/v1/key_pair.js";
import { fromTimestampOrNull, toTimestamp } from "../../../model/wire-time.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { changedFlavor, newFlavor } from "../../catalogue/domain/flavor-change.js";
import { flavorColumns, flavorOrder } from "../../catalogue/domain/flavor-columns.js";
import { flavorChanged } from "../../catalogue/store/flavors.js";
import { encoded } from "../../domain/bytes.js";
import { CellsErrors } from "../../errors.js";
import { pageOf } from "../../store/page.js";
import type { Cell } from "./order.js";
import { byValue, bytewise, pageSize } from "./order.js";
import type { TwinState } from "./state.js";

type Served = Pick<
  Handlers<GlobalServiceDefinition>,
  | "createStoredFlavor"
  | "getStoredFlavor"
  | "listStoredFlavors"
  | "updateStoredFlavor"
  | "deleteStoredFlavor"
  | "createStoredKeyPair"
  | "getStoredKeyPair"
  | "listStoredKeyPairs"
  | "deleteStoredKeyPair"
>;

/** Flavors and key pairs. */
export const catalogueHandlers = (twin: TwinState): Served => ({
  createStoredFlavor: async (_ctx, { flavor, ifAbsent }) => ({
    flavor: createFlavor(twin, flavor ?? Flavor.fromPartial({}), ifAbsent),
  }),
  getStoredFlavor: async (_ctx, { flavorId, projectId, seeAll }) => {
    const seen = [...twin.flavors.values()].filter((one) => sees(one, projectId, seeAll));
    const flavor = seen.find(({ id }) => id === flavorId) ?? seen.find(({ name }) => name === flavorId);
    if (flavor === undefined) throw CellsErrors.FLAVOR_NOT_FOUND({ flavor: flavorId });
    return { flavor };
  },
  listStoredFlavors: async (_ctx, request) => listFlavors(twin, request),
  updateStoredFlavor: async (_ctx, request) => {
    const id = request.flavor?.id ?? "";
    const flavor = changedFlavor(storedFlavor(twin, id), request, twin.deps.clock.now());
    twin.flavors.set(id, flavor);
    twin.global.tell([flavorChanged(flavor, twin.nextGeneration(`flavor/${id}`), "changed")]);
    return { flavor };
  },
  deleteStoredFlavor: async (_ctx, { flavorId }) => {
    const flavor = storedFlavor(twin, flavorId);
    twin.flavors.delete(flavorId);
    twin.global.tell([flavorChanged(flavor, twin.nextGeneration(`flavor/${flavorId}`), "deleted")]);
    twin.generations.delete(`flavor/${flavorId}`);
    return {};
  },
  createStoredKeyPair: async (_ctx, { keyPair }) => ({
    keyPair: createKeyPair(twin, keyPair ?? KeyPair.fromPartial({})),
  }),
  getStoredKeyPair: async (_ctx, { userId, name }) => {
    const keyPair = twin.keyPairs.find((one) => one.userId === userId && one.name === name);
    if (keyPair === undefined) throw CellsErrors.KEY_PAIR_NOT_FOUND({ name });
    return { keyPair };
  },
  listStoredKeyPairs: async (_ctx, request) => listKeyPairs(twin, request),
  deleteStoredKeyPair: async (_ctx, { userId, name }) => {
    const at = twin.keyPairs.findIndex((one) => one.userId === userId && one.name === name);
    if (at < 0) throw CellsErrors.KEY_PAIR_NOT_FOUND({ name });
    twin.keyPairs.splice(at, 1);
    return {};
  },
});

const sees = (flavor: Flavor, projectId: string, seeAll: boolean): boolean =>
  seeAll || flavor.isPublic || flavor.projectIds.includes(projectId);

function storedFlavor(twin: TwinState, id: string): Flavor {
  const flavor = twin.flavors.get(id);
  if (flavor === undefined) throw CellsErrors.FLAVOR_NOT_FOUND({ flavor: id });
  return flavor;
}

function createFlavor(twin: TwinState, asked: Flavor, ifAbsent: boolean): Flavor {
  const known = twin.flavors.get(asked.id);
  if (known !== undefined && ifAbsent) return known;
  if (known !== undefined) throw CellsErrors.FLAVOR_EXISTS({ flavor: asked.id });
  if ([...twin.flavors.values()].some(({ name }) => name === asked.name))
    throw CellsErrors.FLAVOR_NAME_EXISTS({ name: asked.name });
  const flavor = newFlavor(asked, twin.deps.clock.now());
  twin.flavors.set(flavor.id, flavor);
  twin.global.tell([flavorChanged(flavor, 1, "created")]);
  return flavor;
}

function listFlavors(
  twin: TwinState,
  query: ListStoredFlavorsRequest,
): { flavors: Flavor[]; nextPageToken: string } {
  const order = flavorOrder(query.sort);
  const columnsOf = (flavor: Flavor): Readonly<Record<string, unknown>> => ({
    ...flavorColumns(flavor),
    id: flavor.id,
    created_at: fromTimestampOrNull(flavor.createdAt),
  });
  const all = [...twin.flavors.values()]
    .filter(
      (flavor) =>
        sees(flavor, query.projectId, query.seeAll) &&
        (query.isPublic === undefined || flavor.isPublic === query.isPublic) &&
        flavor.memoryMib >= query.minMemoryMib &&
        flavor.rootGib >= query.minRootGib &&
        (query.name === "" || flavor.name === query.name),
    )
    .map((flavor) => ({ flavor, columns: columnsOf(flavor) }))
    .sort((a, b) => {
      for (const { column, descending } of order) {
        const by = byValue(a.columns[column] as Cell, b.columns[column] as Cell);
        if (by !== 0) return descending ? -by : by;
      }
      return 0;
    })
    .map(({ flavor }) => flavor);
  const marker = query.marker === "" ? query.pageToken : query.marker;
  const at = marker === "" ? -1 : all.findIndex(({ id }) => id === marker);
  if (marker !== "" && at < 0) throw CellsErrors.MARKER_NOT_FOUND({ marker });
  const { page, more } = pageOf(
    all.slice(at + 1),
    pageSize(query.pageSize),
    (flavor) => encoded(Flavor, flavor).length,
  );
  return { flavors: [...page], nextPageToken: more ? (page.at(-1)?.id ?? "") : "" };
}

function createKeyPair(twin: TwinState, asked: KeyPair): KeyPair {
  const held = twin.keyPairs.filter(({ userId }) => userId === asked.userId);
  if (held.some(({ name }) => name === asked.name)) throw CellsErrors.KEY_PAIR_EXISTS({ name: asked.name });
  const limit = twin.limit("key_pairs");
  if (limit >= 0 && held.length >= limit) throw CellsErrors.KEY_PAIR_QUOTA({ limit });
  const keyPair = {
    ...asked,
    id: BigInt(twin.global.next("key_pair")),
    createdAt: asked.createdAt ?? toTimestamp(twin.deps.clock.now()),
  };
  twin.keyPairs.push(keyPair);
  return keyPair;
}

function listKeyPairs(
  twin: TwinState,
  { userId, marker, pageToken, pageSize: asked }: ListStoredKeyPairsRequest,
): { keyPairs: KeyPair[]; nextPageToken: string } {
  const all = twin.keyPairs.filter((one) => one.userId === userId).sort((a, b) => bytewise(a.name, b.name));
  if (marker !== "" && !all.some(({ name }) => name === marker))
    throw CellsErrors.MARKER_NOT_FOUND({ marker });
  const after = marker === "" ? pageToken : marker;
  const { page, more } = pageOf(
    all.filter(({ name }) => bytewise(name, after) > 0),
    pageSize(asked),
    (keyPair) => encoded(KeyPair, keyPair).length,
  );
  return { keyPairs: [...page], nextPageToken: more ? (page.at(-1)?.name ?? "") : "" };
}
