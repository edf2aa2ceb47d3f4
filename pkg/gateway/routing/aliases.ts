import { parseRoutes } from "./routes.js";
import { routeTable } from "./table.js";

/** A path under which a part of what is below another one is served as well. */
interface Alias {
  readonly path: string;
  readonly of: string;
}

const ALIASES: readonly Alias[] = [{ path: "/os-volumes_boot", of: "/servers" }];

const known: ReadonlySet<string> = new Set(parseRoutes(routeTable).map(({ key }) => key));

/** `from` at the start of a route's path replaced. @returns undefined when the path does not begin so */
function moved(route: string, from: string, to: string): string | undefined {
  const at = route.indexOf(" ") + 1;
  const rest = route.slice(at + from.length);
  return route.startsWith(from, at) && /^(\/|$)/.test(rest) ? route.slice(0, at) + to + rest : undefined;
}

/** Other routes of the table that are served by the same operation. @param route  its key */
export const aliasesOf = (route: string): readonly string[] =>
  ALIASES.flatMap(({ path, of }) => moved(route, of, path) ?? []).filter((key) => known.has(key));

/** The route that an alias stands for; a route that is none itself. */
export const standsFor = (route: string): string =>
  ALIASES.flatMap(({ path, of }) => moved(route, path, of) ?? [])[0] ?? route;

/** Operations, and the same ones under their aliases. */
export const withAliases = <O extends { readonly route: string }>(operations: readonly O[]): O[] =>
  operations.flatMap((one) => [one, ...aliasesOf(one.route).map((route) => ({ ...one, route }))]);
