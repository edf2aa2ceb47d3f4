import type { Project } from "./model.js";

/** Ids below each other, `{"a": {"b": null}}`: as Keystone writes families of projects. */
export type IdTree = { readonly [id: string]: IdTree | null } | null;

/** A project's parents, the nearest first. @param all  the projects of its domain */
export function ancestorsOf(all: readonly Project[], project: Project): Project[] {
  const byId = new Map(all.map((one) => [one.id, one]));
  const found: Project[] = [];
  for (let next = byId.get(project.parentId); next && !found.includes(next); next = byId.get(next.parentId))
    found.push(next);
  return found;
}

/** Everything below a project, children before their own children. */
export function descendantsOf(all: readonly Project[], id: string): Project[] {
  const children = all.filter((one) => one.parentId === id);
  return [...children, ...children.flatMap((child) => descendantsOf(all, child.id))];
}

/** A line of ids as a tree, the first outermost; null when there is none. */
export const idChain = (ids: readonly string[]): IdTree =>
  ids.reduceRight<IdTree>((inner, id) => ({ [id]: inner }), null);

/** The tree below a project; null for a leaf. */
export function idTree(all: readonly Project[], id: string): IdTree {
  const children = all.filter((one) => one.parentId === id);
  return children.length === 0
    ? null
    : Object.fromEntries(children.map((child) => [child.id, idTree(all, child.id)]));
}
