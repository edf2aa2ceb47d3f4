import assert from "node:assert/strict";
import { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import { SortDirection } from "../../../../gen/kilonova/type/v1/page.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const { SORT_DIRECTION_ASC: ASC, SORT_DIRECTION_DESC: DESC } = SortDirection;

/** Private flavors of the scenario's project, so that a list shows nothing else. */
const create = (s: Stage, n: number, init: Parameters<typeof Flavor.fromPartial>[0] = {}, ifAbsent = false) =>
  s.global.createStoredFlavor(s.ctx, {
    ifAbsent,
    flavor: Flavor.fromPartial({
      id: s.id(n),
      name: s.name(`f${n}`),
      projectIds: [s.project],
      vcpus: 1,
      ...init,
    }),
  });

const list = async (s: Stage, query: Parameters<Stage["global"]["listStoredFlavors"]>[1] = {}) => {
  const asked = { projectId: s.project, isPublic: false, ...query };
  const { flavors, nextPageToken } = await s.global.listStoredFlavors(s.ctx, asked);
  return { numbers: s.numbers(flavors.map(({ id }) => id)), nextPageToken };
};

const update = (s: Stage, n: number, wish: Parameters<Stage["global"]["updateStoredFlavor"]>[1]) =>
  s.global.updateStoredFlavor(s.ctx, { ...wish, flavor: { ...wish.flavor, id: s.id(n) } });

const keyPair = (s: Stage, name: string) =>
  s.global.createStoredKeyPair(s.ctx, { keyPair: { userId: s.user, name, publicKey: "ssh" } });

const page = async (s: Stage, query: { pageSize?: number; pageToken?: string; marker?: string } = {}) => {
  const { keyPairs, nextPageToken } = await s.global.listStoredKeyPairs(s.ctx, { userId: s.user, ...query });
  return { names: keyPairs.map(({ name }) => name), nextPageToken };
};

export const catalogueScenarios: readonly Scenario[] = [
  {
    name: "a flavor is found by id before name, and a private one by its projects only",
    run: async (s) => {
      await create(s, 1);
      await create(s, 2, { name: s.id(1) });
      const get = async (flavorId: string, projectId: string, seeAll = false) =>
        (await s.global.getStoredFlavor(s.ctx, { flavorId, projectId, seeAll })).flavor?.id;
      assert.equal(await get(s.id(1), s.project), s.id(1));
      assert.equal(await get(s.name("f1"), s.project), s.id(1));
      assert.equal(await refusal(get(s.id(1), "other")), "FLAVOR_NOT_FOUND");
      assert.equal(await get(s.id(1), "other", true), s.id(1));
      assert.equal(await refusal(get(s.name("nothing"), s.project)), "FLAVOR_NOT_FOUND");
    },
  },
  {
    name: "ids and names of flavors are taken once, unless an existing one will do",
    run: async (s) => {
      await create(s, 1);
      assert.equal(await refusal(create(s, 1, { name: s.name("other") })), "FLAVOR_EXISTS");
      assert.equal(await refusal(create(s, 2, { name: s.name("f1") })), "FLAVOR_NAME_EXISTS");
      const { flavor } = await create(s, 1, { vcpus: 99 }, true);
      assert.equal(flavor?.vcpus, 1);
    },
  },
  {
    name: "flavors sort bytewise with null first, ties by id in the first key's direction",
    run: async (s) => {
      await create(s, 1, { vcpus: 2, description: "z" });
      await create(s, 2, { vcpus: 1 });
      await create(s, 3, { vcpus: 10, description: "Z" });
      await create(s, 4, { vcpus: 2 });
      const by = async (field: string, direction: SortDirection) =>
        (await list(s, { sort: [{ field, direction }] })).numbers;
      assert.deepEqual((await list(s)).numbers, [1, 2, 3, 4]);
      assert.deepEqual(await by("vcpus", ASC), [2, 1, 4, 3]);
      assert.deepEqual(await by("vcpus", DESC), [3, 4, 1, 2]);
      assert.deepEqual(await by("description", ASC), [2, 4, 3, 1]);
      assert.deepEqual(await by("description", DESC), [1, 3, 4, 2]);
      assert.deepEqual(await by("created_at", DESC), [4, 3, 2, 1]);
      assert.equal(await refusal(by("nothing", ASC)), "SORT_KEY_INVALID");
    },
  },
  {
    name: "flavors are listed in pages and after a marker, which must be in the list",
    run: async (s) => {
      for (const n of [1, 2, 3]) await create(s, n, { memoryMib: n * 100, rootGib: n });
      const first = await list(s, { pageSize: 2 });
      assert.deepEqual(first, { numbers: [1, 2], nextPageToken: s.id(2) });
      assert.deepEqual(await list(s, { pageSize: 2, pageToken: first.nextPageToken }), {
        numbers: [3],
        nextPageToken: "",
      });
      assert.deepEqual((await list(s, { marker: s.id(1) })).numbers, [2, 3]);
      assert.equal(await refusal(list(s, { marker: "nothing" })), "MARKER_NOT_FOUND");
      assert.deepEqual((await list(s, { minMemoryMib: 200 })).numbers, [2, 3]);
      assert.deepEqual((await list(s, { minRootGib: 3 })).numbers, [3]);
      assert.deepEqual((await list(s, { name: s.name("f2") })).numbers, [2]);
      assert.equal(await refusal(list(s, { minRootGib: 3, marker: s.id(1) })), "MARKER_NOT_FOUND");
      assert.deepEqual((await list(s, { projectId: "other" })).numbers, []);
    },
  },
  {
    name: "a flavor's specs, access and description change item by item",
    run: async (s) => {
      await create(s, 1);
      const { flavor } = await update(s, 1, {
        setExtraSpecs: new Map([
          ["a", "1"],
          ["b", "2"],
        ]),
        addProjects: ["p9"],
        flavor: { description: "d" },
        updateMask: ["description"],
      });
      assert.deepEqual(
        [flavor?.extraSpecs.get("a"), flavor?.description, flavor?.projectIds],
        ["1", "d", [s.project, "p9"].sort()],
      );
      assert.ok(flavor?.updatedAt);
      const after = await update(s, 1, { removeExtraSpecs: ["a"], removeProjects: ["p9"] });
      assert.deepEqual(
        [[...(after.flavor?.extraSpecs.keys() ?? [])], after.flavor?.projectIds],
        [["b"], [s.project]],
      );
    },
  },
  {
    name: "a flavor's change is refused for what is not there, or there already",
    run: async (s) => {
      await create(s, 1);
      assert.equal(await refusal(update(s, 1, { removeExtraSpecs: ["x"] })), "EXTRA_SPEC_NOT_FOUND");
      assert.equal(await refusal(update(s, 1, { addProjects: [s.project] })), "FLAVOR_ACCESS_EXISTS");
      assert.equal(await refusal(update(s, 1, { removeProjects: ["x"] })), "FLAVOR_ACCESS_NOT_FOUND");
      assert.equal(await refusal(update(s, 1, { updateMask: ["vcpus"] })), "INVALID_ARGUMENT");
      assert.equal(await refusal(update(s, 9, {})), "FLAVOR_NOT_FOUND");
      await s.global.deleteStoredFlavor(s.ctx, { flavorId: s.id(1) });
      assert.equal(
        await refusal(s.global.deleteStoredFlavor(s.ctx, { flavorId: s.id(1) })),
        "FLAVOR_NOT_FOUND",
      );
    },
  },
  {
    name: "the feed tells each change of a flavor, in order",
    run: async (s) => {
      const mark = await s.mark("global");
      await create(s, 1);
      await update(s, 1, { setExtraSpecs: new Map([["a", "1"]]) });
      await s.global.deleteStoredFlavor(s.ctx, { flavorId: s.id(1) });
      const told = await s.told(mark, { database: "global", entity: s.id(1) });
      assert.deepEqual(
        told.map(({ entityKind, eventType, generation, projectId }) => [
          entityKind,
          eventType,
          generation,
          projectId,
        ]),
        [
          ["flavor", "created", 1n, ""],
          ["flavor", "changed", 2n, ""],
          ["flavor", "deleted", 3n, ""],
        ],
      );
      assert.equal(Flavor.decode(told[1]?.payload ?? assert.fail()).extraSpecs.get("a"), "1");
    },
  },
  {
    name: "key pairs are a user's own, listed bytewise in pages and after a marker",
    run: async (s) => {
      for (const name of ["b", "a", "B"]) await keyPair(s, name);
      assert.deepEqual((await page(s)).names, ["B", "a", "b"]);
      const first = await page(s, { pageSize: 2 });
      assert.deepEqual(first, { names: ["B", "a"], nextPageToken: "a" });
      assert.deepEqual(await page(s, { pageToken: "a" }), { names: ["b"], nextPageToken: "" });
      assert.deepEqual((await page(s, { marker: "B" })).names, ["a", "b"]);
      assert.equal(await refusal(page(s, { marker: "c" })), "MARKER_NOT_FOUND");
      assert.equal(
        await refusal(s.global.getStoredKeyPair(s.ctx, { userId: "other", name: "a" })),
        "KEY_PAIR_NOT_FOUND",
      );
    },
  },
  {
    name: "key pairs have names of their own, growing numbers, and a quota",
    run: async (s) => {
      const ids = [await keyPair(s, "a"), await keyPair(s, "b")].map(({ keyPair: one }) => one?.id ?? 0n);
      assert.ok((ids[0] ?? 0n) < (ids[1] ?? 0n));
      assert.equal(await refusal(keyPair(s, "a")), "KEY_PAIR_EXISTS");
      await keyPair(s, "c");
      assert.equal(await refusal(keyPair(s, "a")), "KEY_PAIR_EXISTS");
      assert.equal(await refusal(keyPair(s, "d")), "KEY_PAIR_QUOTA");
      const remove = () => s.global.deleteStoredKeyPair(s.ctx, { userId: s.user, name: "a" });
      await remove();
      assert.equal(await refusal(remove()), "KEY_PAIR_NOT_FOUND");
      await keyPair(s, "d");
      const { limits } = await s.global.getQuota(s.ctx, { projectId: s.project, userId: s.user });
      const own = limits.find(({ resource }) => resource === "key_pairs");
      assert.deepEqual([own?.used, own?.limit], [3n, 3n]);
    },
  },
];
