import { isCustomName, nonStandardClasses, nonStandardTraits } from "../domain/names.js";
import { isStandardResourceClass, standardResourceClasses } from "../domain/standard-resource-classes.js";
import { isStandardTrait, standardTraits } from "../domain/standard-traits.js";
import type { Ctx } from "../../kernel/ctx.js";
import { E } from "../errors.js";
import type { PlacementReader, PlacementStore } from "../ports.js";
import type { WriteLane } from "./write-lane.js";

/**
 * @throws CLASS_UNKNOWN for the first class that does not exist; costs a query only when one is not standard
 */
export async function assertClasses(
  reader: Pick<PlacementReader, "customNames">,
  names: Iterable<string>,
): Promise<void> {
  const asked = nonStandardClasses(names);
  if (asked.length === 0) return;
  const known = new Set(await reader.customNames("resource_class", asked));
  const unknown = asked.find((name) => !known.has(name));
  if (unknown !== undefined) throw E.CLASS_UNKNOWN({ resource_class: unknown });
}

/** @throws TRAITS_UNKNOWN with all traits that do not exist */
export async function assertTraits(
  reader: Pick<PlacementReader, "customNames">,
  names: Iterable<string>,
): Promise<void> {
  const asked = nonStandardTraits(names);
  if (asked.length === 0) return;
  const known = new Set(await reader.customNames("trait", asked));
  const unknown = asked.filter((name) => !known.has(name));
  if (unknown.length > 0) throw E.TRAITS_UNKNOWN({ traits: unknown.join(", ") });
}

/** The same outside a transaction. */
export const namesOf = (ctx: Ctx, store: PlacementStore): Pick<PlacementReader, "customNames"> => ({
  customNames: (kind, names) =>
    store.read(ctx, "placement.names", (reader) => reader.customNames(kind, names)),
});

export const traitOps = (store: PlacementStore, lane: WriteLane) => ({
  /** All traits by name, filtered. `associated`: only those that some provider has, or that none has. */
  list: (
    ctx: Ctx,
    filter: { names: readonly string[]; prefix: string; associated: boolean | undefined },
  ): Promise<string[]> =>
    store.read(ctx, "placement.traits.list", async (reader) => {
      const wanted = new Set(filter.names);
      const used = filter.associated === undefined ? undefined : await reader.associatedTraits();
      return [...standardTraits, ...(await reader.customNames("trait"))]
        .sort()
        .filter(
          (name) =>
            (wanted.size === 0 || wanted.has(name)) &&
            name.startsWith(filter.prefix) &&
            (used === undefined || used.has(name) === filter.associated),
        );
    }),

  /** @returns whether it is new. @throws TRAIT_NAME_INVALID */
  ensure: async (ctx: Ctx, name: string): Promise<boolean> => {
    if (!isCustomName(name)) throw E.TRAIT_NAME_INVALID({ trait: name });
    return (await lane.write(ctx, "placement.traits.ensure", (writer) => writer.addName("trait", name)))
      .result;
  },

  remove: async (ctx: Ctx, name: string): Promise<void> => {
    if (isStandardTrait(name)) throw E.TRAIT_STANDARD({ trait: name });
    await lane.write(ctx, "placement.traits.remove", async (writer) => {
      if ((await writer.associatedTraits()).has(name)) throw E.TRAIT_IN_USE({ trait: name });
      if (!(await writer.removeName("trait", name))) throw E.TRAIT_NOT_FOUND({ trait: name });
    });
  },
});

export const classOps = (store: PlacementStore, lane: WriteLane) => ({
  /** Standard classes in their order, then custom ones by name. */
  list: async (ctx: Ctx, name: string): Promise<string[]> => {
    const all = [
      ...standardResourceClasses,
      ...(await store.read(ctx, "placement.classes.list", (reader) => reader.customNames("resource_class"))),
    ];
    if (name === "") return all;
    if (!all.includes(name)) throw E.CLASS_NOT_FOUND({ resource_class: name });
    return [name];
  },

  ensure: async (ctx: Ctx, name: string, mustBeNew: boolean): Promise<boolean> => {
    if (mustBeNew && isStandardResourceClass(name)) throw E.CLASS_EXISTS({ resource_class: name });
    if (!isCustomName(name)) throw E.CLASS_NAME_INVALID({ resource_class: name });
    const { result: created } = await lane.write(ctx, "placement.classes.ensure", (writer) =>
      writer.addName("resource_class", name),
    );
    if (mustBeNew && !created) throw E.CLASS_EXISTS({ resource_class: name });
    return created;
  },

  rename: async (ctx: Ctx, from: string, to: string): Promise<void> => {
    if (isStandardResourceClass(from)) throw E.CLASS_STANDARD({ resource_class: from });
    if (!isCustomName(to)) throw E.CLASS_NAME_INVALID({ resource_class: to });
    await lane.write(ctx, "placement.classes.rename", async (writer) => {
      const known = await writer.customNames("resource_class", [from, to]);
      if (!known.includes(from)) throw E.CLASS_NOT_FOUND({ resource_class: from });
      if (from === to) return;
      if (known.includes(to)) throw E.CLASS_EXISTS({ resource_class: to });
      await writer.renameClass(from, to);
    });
  },

  remove: async (ctx: Ctx, name: string): Promise<void> => {
    if (isStandardResourceClass(name)) throw E.CLASS_STANDARD({ resource_class: name });
    await lane.write(ctx, "placement.classes.remove", async (writer) => {
      if (await writer.classInUse(name)) throw E.CLASS_IN_USE({ resource_class: name });
      if (!(await writer.removeName("resource_class", name)))
        throw E.CLASS_NOT_FOUND({ resource_class: name });
    });
  },
});
