import { z } from "zod";
import type { Rules } from "./domain/rules.js";
import { filters } from "./filters/index.gen.js";
import { weighers } from "./weighers/index.gen.js";

const camel = (option: string): string =>
  option.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

const multipliers = Object.fromEntries(
  weighers.map(({ multiplierOption, multiplier, name }) => [
    camel(multiplierOption),
    z
      .number()
      .default(multiplier)
      .describe(`Multiplier of ${name}; host aggregates may override it by ${multiplierOption}.`),
  ]),
);

const filterNames = new Set(filters.map(({ name }) => name));

/** The scheduler's options. */
export const schedulerConfig = z
  .object({
    enabledFilters: z
      .array(z.string().refine((name) => filterNames.has(name), { error: "unknown filter" }))
      .default([
        "ComputeFilter",
        "ComputeCapabilitiesFilter",
        "ImagePropertiesFilter",
        "ServerGroupAntiAffinityFilter",
        "ServerGroupAffinityFilter",
      ])
      .describe("Filters to run, in this order. Nova's names."),
    maxPlacementResults: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe("Allocation candidates looked at for one request."),
    maxSearchSteps: z
      .number()
      .int()
      .min(1000)
      .max(100_000_000)
      .default(200_000)
      .describe(
        "Most tries of one provider for one request group in the search for one server's host. Hosts that are not reached are said to be that in the explanation.",
      ),
    maxSearchMs: z
      .number()
      .int()
      .min(10)
      .max(60_000)
      .default(1000)
      .describe("Most computing time of one such search, in milliseconds; it rests as long as it computes."),
    hostSubsetSize: z
      .number()
      .int()
      .min(1)
      .default(1)
      .describe("One of this many best hosts is taken by chance."),
    maxClaimAttempts: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(50)
      .describe("Hosts that are tried for one claim before giving up."),
    queryPlacementForImageTypeSupport: z
      .boolean()
      .default(false)
      .describe("Only hosts whose traits name the image's disk format."),
    imageMetadataPrefilter: z
      .boolean()
      .default(false)
      .describe("Only hosts whose traits support the devices that the image's properties name."),
    provisionalTtlMs: z
      .number()
      .int()
      .min(1000)
      .default(60_000)
      .describe("How long a placed server counts on its host before its cell confirms it, in milliseconds."),
    filterOptions: z
      .object(Object.assign({}, ...filters.map(({ options }) => options)) as z.ZodRawShape)
      .prefault({})
      .describe("Options of the filters."),
    weights: z.object(multipliers).prefault({}).describe("Multipliers of the weighers."),
  })
  .describe("The scheduler service.");

export type SchedulerConfig = z.infer<typeof schedulerConfig>;

/** The enabled rules with their options, in the configured order. */
export function rulesOf(config: SchedulerConfig): Rules {
  const byName = new Map(filters.map((filter) => [filter.name, filter]));
  return {
    filters: config.enabledFilters.flatMap((name) => {
      const filter = byName.get(name);
      return filter === undefined
        ? []
        : [
            {
              name,
              onRebuild: filter.onRebuild,
              tellings: filter.tellings,
              judge: filter.bind(config.filterOptions),
            },
          ];
    }),
    weighers: weighers
      .map((weigher) => ({
        weigher,
        multiplier:
          (config.weights as Readonly<Record<string, number>>)[camel(weigher.multiplierOption)] ??
          weigher.multiplier,
      }))
      .filter(({ multiplier }) => multiplier !== 0),
    hostSubsetSize: config.hostSubsetSize,
  };
}
