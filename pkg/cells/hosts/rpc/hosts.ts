import { HostTelemetry, ReportCommandRequest } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type {
  ComputeNode,
  HostService,
  HostsServiceDefinition,
} from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { AGENT_REPORT } from "../../../model/signals.js";
import { encoded } from "../../domain/bytes.js";
import { providerTree } from "../domain/provider-tree.js";
import { usagePeriod } from "../domain/usage-period.js";
import { CellsErrors } from "../../errors.js";
import type { Liveness, PlacementPort, Waker } from "../../ports.js";
import type { Stores } from "../../stores.js";
import { gathering } from "../../store/gathering.js";
import type { StoreDeps } from "../../store/deps.js";
import { storeTelemetry } from "../store/host-telemetry.js";
import type { HostReport } from "../store/host-telemetry.js";
import { hostNotes } from "../store/host-mappings.js";
import { hostZones } from "../store/host-zones.js";
import { recordUsageAudit } from "../store/usage-audit.js";
import { reportGuest } from "../../servers/store/guest-reports.js";
import { reportLostPorts } from "../../servers/store/lost-ports.js";
import {
  deletableService,
  deleteHostService,
  listHosts,
  registerHost,
  registerService,
  updateHostService,
} from "../store/hosts.js";
import { findDeletedInstances, listHostInstances } from "../../servers/store/read-instances.js";
import { storeProgress } from "../../operations/store/progress.js";
import { awakening } from "../../operations/hand-over/awakening.js";
import { signalWhereItIs } from "../../operations/hand-over/signal-where-it-is.js";
import { COMPUTE_BINARY } from "../../../model/service-names.js";
import type { Store } from "../../store/tables.js";

export interface HostsDeps {
  readonly stores: Stores;
  readonly deps: StoreDeps;
  readonly waker: Waker;
  readonly placement: PlacementPort;
  readonly liveness: Liveness;
}

/** Serves hosts' records: what agents report and what operators see. */
export function hostsHandlers({
  stores,
  deps,
  waker,
  placement,
  liveness,
}: HostsDeps): Handlers<HostsServiceDefinition> {
  /** Whether a service works now: its lease is alive and nobody forced it down. */
  const alive = (service: HostService): HostService => ({
    ...service,
    up: !service.forcedDown && liveness.isAlive(service.binary, service.host),
  });
  const note = hostNotes(stores.global);
  const zonesByHost = hostZones(stores.global);
  const syncTree = async (
    ctx: Ctx,
    node: ComputeNode,
    disabled: boolean,
    before: ComputeNode | undefined,
  ): Promise<void> => {
    await placement.syncProviderTree(ctx, providerTree(node, disabled, before));
  };
  const places = { stores, deps };
  const moving = awakening(places, waker);
  const reporting = new Map<Store, ReturnType<typeof hostReports>>();
  const reportTo = (store: Store): ReturnType<typeof hostReports> => {
    let reports = reporting.get(store);
    if (reports === undefined) reporting.set(store, (reports = hostReports(store, deps)));
    return reports;
  };
  return {
    registerHost: async (ctx, request) => {
      const binary = request.service?.binary ?? "";
      if (binary !== COMPUTE_BINARY) throw CellsErrors.WRONG_BINARY({ binary });
      const { service, generation, node, nodeBefore } = await registerHost(
        stores.cell(request.cell),
        deps,
        ctx,
        request,
      );
      await note(ctx, node.id, request.cell);
      await syncTree(ctx, node, service.disabled, nodeBefore);
      return {
        epoch: service.epoch,
        serviceId: service.id,
        computeNodeId: node.id,
        disabled: service.disabled,
        serviceGeneration: BigInt(generation),
      };
    },
    reportHost: async (ctx, { cell, host, epoch, telemetry }) => ({
      serviceGeneration: BigInt(
        await reportTo(stores.cell(cell))(ctx, {
          host,
          epoch: Number(epoch),
          telemetry: telemetry ?? HostTelemetry.fromPartial({}),
        }),
      ),
    }),
    reportCommand: async (ctx, request) => {
      const { woke, database } = await signalWhereItIs(places, moving, ctx, stores.cell(request.cell), {
        operation: request.operation,
        id: `${AGENT_REPORT}/${request.commandId}`,
        kind: AGENT_REPORT,
        payload: encoded(ReportCommandRequest, request),
      });
      if (woke) waker.wake(ctx, database, request.operation);
      return {};
    },
    reportProgress: async (ctx, request) => ({
      kept: await storeProgress(stores.cell(request.cell), deps, ctx, request),
    }),
    reportGuest: (ctx, request) => reportGuest(stores.cell(request.cell), deps, ctx, request),
    reportLostPorts: async (ctx, request) => ({
      settled: await reportLostPorts(stores.cell(request.cell), deps, ctx, request),
    }),
    listHostInstances: (ctx, { cell, host, pageToken }) =>
      listHostInstances(stores.cell(cell), ctx, host, pageToken),
    findDeletedInstances: (ctx, { cell, ...asked }) => findDeletedInstances(stores.cell(cell), ctx, asked),
    recordUsageAudit: (ctx, request) =>
      recordUsageAudit(
        stores.cell(request.cell),
        deps,
        ctx,
        request.host,
        usagePeriod(request, deps.clock.now()),
      ),
    registerService: async (ctx, { cell, service }) => {
      if (service === undefined) throw CellsErrors.SERVICE_NOT_FOUND({ service: "" });
      return { service: alive(await registerService(stores.cell(cell), deps, ctx, service)) };
    },
    listHosts: async (ctx, request) => {
      const [{ services, nodes }, zones] = await Promise.all([
        listHosts(stores.cell(request.cell), ctx, request),
        zonesByHost(ctx),
      ]);
      return {
        services: services.map((service) =>
          alive({
            ...service,
            availabilityZone:
              service.binary === COMPUTE_BINARY
                ? (zones.get(service.host) ?? service.availabilityZone)
                : service.availabilityZone,
          }),
        ),
        nodes,
      };
    },
    updateHostService: async (ctx, request) => {
      const { service, node } = await updateHostService(stores.cell(request.cell), deps, ctx, request);
      if (node !== undefined && request.disabled !== undefined) {
        // The record decides; the trait follows at the agent's next audit when placement is away now.
        await syncTree(ctx, node, service.disabled, node).catch((error: unknown) =>
          ctx.log.warn("hosts.trait.late", { host: service.host, error }),
        );
      }
      return { service: alive(service) };
    },
    deleteHostService: async (ctx, { cell, serviceId }) => {
      const store = stores.cell(cell);
      const { nodeId } = await deletableService(store, ctx, serviceId);
      if (nodeId !== undefined) await placement.deleteProvider(ctx, { id: nodeId });
      await deleteHostService(store, deps, ctx, serviceId);
      return {};
    },
  };
}

/** Hosts' reports wait this long for those of other hosts. */
const REPORTS_WAIT_MS = 1_000;
const REPORTS_TOGETHER = 1_000;

const keyOf = ({ host, epoch }: Pick<HostReport, "host" | "epoch">): string => `${epoch}/${host}`;

/** Stores hosts' reports together: a statement a second at most, however large the cell. */
const hostReports = (store: Store, deps: StoreDeps) =>
  gathering<HostReport, number>({
    clock: deps.clock,
    windowMs: REPORTS_WAIT_MS,
    most: REPORTS_TOGETHER,
    work: async (ctx, reports) => {
      // Who asks again does not wait for his first answer: the newest report of a process counts.
      const newest = new Map(reports.map((report) => [keyOf(report), report]));
      const known = await storeTelemetry(store, deps, ctx, [...newest.values()]);
      const generations = new Map(known.map((one) => [keyOf(one), one.generation]));
      return reports.map((report) => generations.get(keyOf(report)) ?? 0);
    },
  });
