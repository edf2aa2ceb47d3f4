import type { Microversion, Span } from "../microversion/version.js";

/** One row of the route table. */
export interface Route {
  /** `METHOD path` or `METHOD path#action`: the name under which resources bind to it. */
  readonly key: string;
  readonly method: string;
  readonly path: string;
  /** The single key of the body for routes that dispatch by it, else "". */
  readonly action: string;
  readonly span: Span;
  /** `gone`: 410 at every version. `refused`: existed, but every call failed with 400. */
  readonly kind: "active" | "gone" | "refused";
  /** Success codes, each for a span of versions. */
  readonly success: readonly { readonly span: Span; readonly status: number }[];
}

const SUCCESS = /^(\d{3})(?:\[(\d+)-(\d*)\])?$/;

/** Reads the compact table. @throws on a line that it does not understand */
export function parseRoutes(table: string): Route[] {
  return table
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [method = "", target = "", span = "", success = ""] = line.split(" ");
      const [path = "", action = ""] = target.split("#");
      return {
        key: `${method} ${target}`,
        method,
        path,
        action,
        span: parseSpan(...splitSpan(span)),
        kind: success === "410" ? "gone" : success === "never" ? "refused" : "active",
        success:
          /^\d/.test(success) && success !== "410"
            ? success.split(",").map((part) => parseSuccess(part, line))
            : [],
      };
    });
}

const splitSpan = (span: string): [string, string] => [span.split("-")[0] ?? "", span.split("-")[1] ?? ""];
const parseSpan = (first: string, last: string): Span => ({
  min: Number(first),
  max: last === "" ? Infinity : Number(last),
});

function parseSuccess(part: string, line: string): Route["success"][number] {
  const match = SUCCESS.exec(part);
  if (!match) throw new Error(`bad success codes in the route table: ${line}`);
  return { status: Number(match[1]), span: parseSpan(match[2] ?? "1", match[3] ?? "") };
}

/** The success status of a route at a version. */
export function successOf(route: Route, version: Microversion): number {
  return route.success.find(({ span }) => version >= span.min && version <= span.max)?.status ?? 200;
}
