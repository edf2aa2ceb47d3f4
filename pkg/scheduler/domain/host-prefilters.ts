import type { HostFacts } from "./host-view.js";
import { numaAsked, pciAsked } from "./hardware-asked.js";
import type { RequestSpec } from "./request-spec.js";
import { tells } from "./telling.js";
import type { Tellings } from "./telling.js";
import { pass, refuse } from "./verdict.js";
import type { Verdict } from "./verdict.js";

/** A rule that only looks at what a host is, not at what is on it; it runs before resources are searched. */
export interface HostPrefilter<R extends string = string> {
  readonly name: string;
  readonly tellings: Tellings<R>;
  /**
   * Whether the request asks for anything that the rule could refuse: most ask for nothing, and hosts are
   * many.
   */
  applies(request: RequestSpec): boolean;
  judge(host: HostFacts, request: RequestSpec): Verdict<R>;
}

const prefilter = <R extends string>(
  rule: HostPrefilter<R> & { judge(host: HostFacts, request: RequestSpec): Verdict<NoInfer<R>> },
): HostPrefilter => rule;

/** Moves that stay in the source's cell, whatever the caller allows. @source cells.md §8 */
const staysInCell = ({ purpose }: RequestSpec): boolean =>
  purpose === "live-migration" || purpose === "evacuation";

/** In the order in which they run. */
export const hostPrefilters: readonly HostPrefilter[] = [
  prefilter({
    name: "RequestedHost",
    tellings: { OTHER_HOST_REQUESTED: tells("not the host that was asked for") },
    applies: ({ forcedHost, forcedNode, requestedHost, requestedNode }) =>
      forcedHost !== "" || forcedNode !== "" || requestedHost !== "" || requestedNode !== "",
    judge: ({ host, node }, { forcedHost, forcedNode, requestedHost, requestedNode }) =>
      (forcedHost === "" || forcedHost === host) &&
      (forcedNode === "" || forcedNode === node) &&
      (requestedHost === "" || requestedHost === host) &&
      (requestedNode === "" || requestedNode === node)
        ? pass
        : refuse("OTHER_HOST_REQUESTED"),
  }),
  prefilter({
    name: "SourceHost",
    tellings: { IS_SOURCE: tells("where the server is now") },
    applies: ({ source }) => source !== undefined,
    judge: ({ cell, host }, request) => {
      const { source } = request;
      const isSource = source?.cell === cell && source.host === host;
      return isSource && (!source.allowed || staysInCell(request)) ? refuse("IS_SOURCE") : pass;
    },
  }),
  prefilter({
    name: "ExcludedHosts",
    tellings: { TRIED_BEFORE: tells("tried before") },
    applies: ({ excludedHosts }) => excludedHosts.size > 0,
    judge: ({ host }, { excludedHosts }) =>
      excludedHosts.has(host.toLowerCase()) ? refuse("TRIED_BEFORE") : pass,
  }),
  prefilter({
    name: "Cell",
    tellings: { OTHER_CELL: tells("in a part of the cloud where the server cannot go") },
    applies: (request) =>
      request.onlyCells.size > 0 ||
      request.exceptCells.size > 0 ||
      (staysInCell(request) && request.source !== undefined),
    judge: ({ cell }, request) =>
      (request.onlyCells.size > 0 && !request.onlyCells.has(cell)) ||
      request.exceptCells.has(cell) ||
      (staysInCell(request) && request.source !== undefined && request.source.cell !== cell)
        ? refuse("OTHER_CELL")
        : pass,
  }),
  prefilter({
    name: "AvailabilityZone",
    tellings: { OTHER_ZONE: tells(({ needed }) => `not in availability zone ${needed}`) },
    // Who forces a host means it, wherever it is by now.
    applies: ({ availabilityZone, forcedHost, forcedNode }) =>
      availabilityZone !== "" && forcedHost === "" && forcedNode === "",
    judge: (host, { availabilityZone }) =>
      host.availabilityZone === availabilityZone
        ? pass
        : refuse("OTHER_ZONE", { needed: availabilityZone, have: host.availabilityZone }),
  }),
  prefilter({
    name: "LiveMigrationHypervisor",
    tellings: {
      OTHER_HYPERVISOR: tells("runs another hypervisor than the server's host", ["needed", "have"]),
      OLDER_HYPERVISOR: tells("runs an older hypervisor than the server's host", ["needed", "have"]),
    },
    applies: ({ purpose }) => purpose === "live-migration",
    judge: ({ hypervisorType, hypervisorVersion }, { source }) => {
      const needed = source?.hypervisor;
      if (needed?.type !== hypervisorType)
        return refuse("OTHER_HYPERVISOR", { needed: needed?.type ?? "", have: hypervisorType });
      return hypervisorVersion < needed.version
        ? refuse("OLDER_HYPERVISOR", { needed: needed.version, have: hypervisorVersion })
        : pass;
    },
  }),
  prefilter({
    name: "NumaTopology",
    tellings: {
      NUMA_NOT_REPORTED: tells(({ asked }) => `no NUMA topology is known, which ${asked} needs`),
    },
    applies: (request) => numaAsked(request) !== undefined,
    // No host reports its topology, so whether the guest's would fit cannot be told.
    judge: (_host, request) => refuse("NUMA_NOT_REPORTED", { asked: numaAsked(request) ?? "" }),
  }),
  prefilter({
    name: "PciDevices",
    tellings: { PCI_NOT_REPORTED: tells(({ asked }) => `no PCI devices are known, which ${asked} needs`) },
    applies: (request) => pciAsked(request) !== undefined,
    judge: (_host, request) => refuse("PCI_NOT_REPORTED", { asked: pciAsked(request) ?? "" }),
  }),
];
