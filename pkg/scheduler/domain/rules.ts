import { z } from "zod";
import type { HostView } from "./host-view.js";
import { overridden } from "./host-view.js";
import type { RequestSpec } from "./request-spec.js";
import type { Tellings } from "./telling.js";
import type { Verdict } from "./verdict.js";

/** A filter as its file declares it. */
export interface HostFilter {
  /** The name operators enable it by: Nova's. */
  readonly name: string;
  /** Whether it also judges a rebuild, for which the host is given. */
  readonly onRebuild: boolean;
  readonly options: z.ZodRawShape;
  /** How each reason is told to the server's owner. */
  readonly tellings: Tellings;
  /** Reads the options once. */
  bind(options: unknown): (host: HostView, request: RequestSpec) => Verdict;
}

/**
 * Declares a host filter. The judge is pure and is asked about every host: a refusal says why.
 * @param spec.options  each with default, unit in the name and description
 * @param spec.tellings  every reason that the judge may give
 */
export function hostFilter<S extends z.ZodRawShape, R extends string = never>(
  name: string,
  spec: {
    readonly options?: S;
    readonly onRebuild?: boolean;
    readonly tellings: Tellings<R>;
    readonly judge: (
      host: HostView,
      request: RequestSpec,
      options: z.output<z.ZodObject<S>>,
    ) => Verdict<NoInfer<R>>;
  },
): HostFilter {
  const shape = spec.options ?? ({} as S);
  return {
    name,
    onRebuild: spec.onRebuild ?? false,
    options: shape,
    tellings: spec.tellings,
    bind: (options) => {
      const read = z.object(shape).parse(options);
      return (host, request) => spec.judge(host, request, read);
    },
  };
}

/** A weigher as its file declares it. */
export interface HostWeigher {
  readonly name: string;
  /** Option, and key of aggregate metadata, that holds the multiplier: Nova's name. */
  readonly multiplierOption: string;
  readonly multiplier: number;
  /** Pins the lower end of the normalisation; otherwise it is the smallest value among the hosts. */
  readonly floor: number | undefined;
  /** Any number; more is better under a positive multiplier. */
  raw(host: HostView, request: RequestSpec): number;
}

/**
 * Declares a weigher.
 * @param multiplierOption  Nova's option name in snake case, which aggregate metadata may override
 */
export const hostWeigher = (
  name: string,
  spec: {
    readonly multiplierOption: string;
    readonly multiplier: number;
    readonly floor?: number;
    readonly raw: (host: HostView, request: RequestSpec) => number;
  },
): HostWeigher => ({ name, floor: undefined, ...spec });

/** The enabled rules with their options read. */
export interface Rules {
  readonly filters: readonly {
    readonly name: string;
    readonly onRebuild: boolean;
    readonly tellings: Tellings;
    judge(host: HostView, request: RequestSpec): Verdict;
  }[];
  readonly weighers: readonly { readonly weigher: HostWeigher; readonly multiplier: number }[];
  /** One of this many best hosts is taken by chance (the request's seed). */
  readonly hostSubsetSize: number;
}

/** A host's multiplier for a weigher: aggregate metadata overrides the configured one. */
export const multiplierOf = (host: HostView, { weigher, multiplier }: Rules["weighers"][number]): number =>
  overridden(host, weigher.multiplierOption, multiplier);
