import { hkdfSync } from "node:crypto";
import { dirname, join } from "node:path";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import type { Glance } from "../clients/glance/ports.js";
import type { Neutron } from "../clients/neutron/ports.js";
import type { Ctx, Logger } from "../kernel/index.js";
import { rootCtx, serviceActor } from "../kernel/index.js";
import { makeFolder } from "../platform/files/index.js";
import { systemClock, systemIds } from "../platform/process/index.js";
import type { Channel } from "../platform/rpc/index.js";
import type { Metrics } from "../platform/telemetry/index.js";
import type { Agent } from "./agent/agent.js";
import { createAgent } from "./agent/agent.js";
import { diskSources } from "./agent/disk-sources.js";
import { cellGuestData } from "./agent/guest-data-source.js";
import type { Images, Plumbing } from "./agent/ports.js";
import { noImages, noPlumbing } from "./agent/ports.js";
import type { ComputeConfig } from "./config.js";
import type { Driver } from "./driver.js";
import type { Isolation } from "./drivers/host/isolation.js";
import { openDriver } from "./drivers/index.js";
import { ImageCache, imageUploads } from "./images/index.js";
import { metadataService, switchMetadataHandler } from "./metadata/index.js";
import { followNetwork } from "./network/follow-network.js";
import { SwitchPlumbing } from "./network/switch-plumbing.js";
import type { PeerConfig } from "./switch/index.js";
import { startSwitch } from "./switch/index.js";
import type { VendorData } from "./vendordata/index.js";

/** How a host makes itself known and finds the others. */
export interface HostRegistry {
  /** Takes the host's lease and keeps it; `facts` are what others read. */
  announce(ctx: Ctx, host: string, facts: HostFacts): Promise<void>;
  /** Calls back with the tunnel ends of all other hosts, now and after each change. */
  watchPeers(host: string, onPeers: (peers: readonly PeerConfig[]) => void): void;
}

export interface HostFacts {
  readonly cell: string;
  readonly address: string;
  readonly driver: string;
  readonly epoch: string;
  readonly tunnelAddress: string;
  readonly tunnelPort: number;
}

export interface ComputeDeps {
  readonly config: ComputeConfig;
  readonly host: string;
  /** Where conductors reach this agent. */
  readonly address: string;
  /** Folder of this host: guests, images, journal. */
  readonly stateDir: string;
  /** Part of the machine that this host offers, 0..1. */
  readonly share: number;
  /** Secret from which the guests' entropy is derived. */
  readonly guestSeed: Uint8Array;
  readonly cells: Channel;
  /**
   * The agent of another host, at the address in its record, and nobody else who answers there; it is shown
   * this host's certificate.
   */
  readonly agents: (host: string, address: string) => Channel;
  readonly glance: Glance;
  readonly neutron: Neutron;
  readonly vendorData: VendorData;
  readonly registry: HostRegistry;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly task: (name: string, run: (ctx: Ctx) => Promise<void>) => void;
}

const RANDOM_SEED_BYTES = 512;

/** Builds one host's agent with its driver and data plane. */
export async function buildAgent(deps: ComputeDeps): Promise<Agent> {
  const { config, host, address, registry } = deps;
  const cells = deps.cells.client(HostsServiceDefinition);
  makeHostFolders(deps);
  // First: where guests cannot be shut in as configured, nothing starts.
  const { driver, isolation } = await openDriver(
    config.driver,
    {
      name: host,
      address: config.tunnelAddress,
      guestsDir: join(deps.stateDir, "guests"),
      imagesDir: imageDir(deps),
      share: deps.share,
    },
    config,
  );
  const { plumbing, tunnelPort } =
    isolation === undefined ? { plumbing: noPlumbing, tunnelPort: 0 } : await startPlumbing(deps, driver);
  return createAgent({
    host,
    address,
    driver,
    plumbing,
    cells,
    cell: config.cell,
    zone: config.availabilityZone,
    domain: config.dhcpDomain,
    images: isolation === undefined ? noImages : await startImages(deps, isolation),
    uploads: imageUploads({ glance: deps.glance, clock: systemClock }),
    disks: diskSources({ host, connect: deps.agents, clock: systemClock }),
    reserved: {
      vcpus: config.reservedVcpus,
      memoryMib: config.reservedMemoryMib,
      diskGib: config.reservedDiskGib,
    },
    ratios: {
      cpu: config.cpuAllocationRatio,
      memory: config.memoryAllocationRatio,
      disk: config.diskAllocationRatio,
    },
    journalPath: join(deps.stateDir, "journal"),
    periodic: config,
    vendorData: deps.vendorData,
    resumeGuestsStateOnHostBoot: config.resumeGuestsStateOnHostBoot,
    randomSeedOf: (serverId) =>
      new Uint8Array(
        hkdfSync("sha512", deps.guestSeed, serverId, "kilonova guest entropy", RANDOM_SEED_BYTES),
      ),
    announce: (ctx, epoch) =>
      registry.announce(ctx, host, {
        cell: config.cell,
        address,
        driver: driver.name,
        epoch: String(epoch),
        tunnelAddress: config.tunnelAddress,
        tunnelPort,
      }),
    metrics: deps.metrics,
    task: deps.task,
  });
}

const imageDir = (deps: ComputeDeps): string => join(deps.stateDir, "images");

/** Guests pass through to what is theirs; the rest of the host's state is closed to them where it lies. */
function makeHostFolders({ stateDir }: ComputeDeps): void {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  for (const folder of [dirname(stateDir), stateDir]) makeFolder(folder, mode);
}

async function startImages(deps: ComputeDeps, isolation: Isolation): Promise<Images> {
  const { glance } = deps;
  const cache = new ImageCache({
    dir: imageDir(deps),
    isolation,
    source: { get: (ctx, id) => glance.getImage(ctx, id), download: (ctx, id) => glance.download(ctx, id) },
  });
  await cache.start();
  return {
    prepare: (ctx, image, tell) => cache.prepare(ctx, image.id, image, tell),
    cache: async (ctx, image) => {
      const isNew = !(await cache.has(ctx, image.id));
      // Also what is there: it was asked for, so it is kept as if it had been used.
      await cache.prepare(ctx, image.id, image);
      return isNew;
    },
    age: async (ctx, { usedBy, minAgeMs }) => {
      await cache.evict(ctx, usedBy, minAgeMs);
    },
  };
}

async function startPlumbing(
  deps: ComputeDeps,
  driver: Driver,
): Promise<{ plumbing: Plumbing; tunnelPort: number }> {
  const { config, host, log } = deps;
  const source = cellGuestData({
    cell: config.cell,
    domain: config.dhcpDomain,
    instances: deps.cells.client(InstancesServiceDefinition),
    vendorData: deps.vendorData,
    taggedVolumes: async (ctx, serverId) => driver.taggedVolumes?.(ctx, serverId) ?? [],
    metadataCacheExpirationMs: config.metadataCacheExpirationMs,
  });
  const newCtx = (): Ctx =>
    rootCtx({ requestId: `req-${systemIds.uuid()}`, actor: serviceActor("compute", host), log });
  const sw = await startSwitch({
    tunnel: { address: config.tunnelAddress, port: config.tunnelPort },
    conversationsDir: join(deps.stateDir, "conversations"),
    log,
    metadata: switchMetadataHandler(metadataService(source), newCtx),
  });
  const plumbing = new SwitchPlumbing({ switch: sw, neutron: deps.neutron, domain: config.dhcpDomain });
  deps.registry.watchPeers(host, (peers) => {
    sw.setPeers(peers).catch((error: unknown) => log.warn("agent.peers.failed", { host, error }));
  });
  deps.task(`agent-security-${host}`, (ctx) =>
    followNetwork(ctx, {
      neutron: deps.neutron,
      clock: systemClock,
      random: Math.random,
      everyMs: config.securityRefreshMs,
      refresh: (c) => plumbing.refresh(c),
    }),
  );
  return { plumbing, tunnelPort: sw.tunnelPort };
}
