import type { Clock, Ctx, Ids, Logger } from "../kernel/index.js";
import { rootCtx } from "../kernel/index.js";
import type { RightsChange } from "../model/rights-change.js";
import { migrate, openDatabase } from "../platform/db/index.js";
import type { DbPool } from "../platform/db/index.js";
import { defaultRest, listen } from "../platform/http/index.js";
import type { HttpEnv, HttpServer, RestConfig } from "../platform/http/index.js";
import { buildIdentity } from "./identity/index.js";
import type {
  Identity,
  IdentityTables,
  LoginsConfig,
  PasswordCost,
  ServiceConfig,
} from "./identity/index.js";
import { buildImage, imageConfig } from "./image/index.js";
import type { ImageConfig, ImageService, ImageTables } from "./image/index.js";
import { standaloneMigrations } from "./migrations/index.js";
import { buildNetwork } from "./network/index.js";
import type { NetworkService, NetworkTables, PortEvent } from "./network/index.js";
import { buildVolume, volumeConfig } from "./volume/index.js";
import type {
  CagedPrograms,
  VolumeConfig,
  VolumeEvent,
  VolumeService,
  VolumeTables,
} from "./volume/index.js";
import { seedStandalone } from "./seed.js";
import type { Seeded, StandaloneSeed } from "./seed.js";

/** Block Storage: where its data lies, and with what it works. */
export interface StandaloneVolumeOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly directory: string;
  readonly programs: CagedPrograms;
  /** Default: as in the documentation of the configuration. */
  readonly limits?: VolumeConfig;
  readonly onVolumeEvents?: (ctx: Ctx, events: readonly VolumeEvent[]) => Promise<void>;
}

export interface StandaloneOptions {
  readonly pool: DbPool;
  /** Default `standalone`. */
  readonly schema?: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** 0..1 */
  readonly random: () => number;
  readonly log: Logger;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly ports: { readonly identity: number; readonly image: number; readonly network: number };
  /** Image data. */
  readonly imageDirectory: string;
  /** Default: as in the documentation of the configuration. */
  readonly imageLimits?: ImageConfig;
  /** Without it there is no Block Storage, in the catalog neither. */
  readonly volume?: StandaloneVolumeOptions;
  /** Default RegionOne. */
  readonly region?: string;
  /** The other services of the cloud (compute, placement), for the catalog; asked at each use. */
  readonly services: () => readonly ServiceConfig[];
  readonly seed: StandaloneSeed;
  readonly passwordCost?: PasswordCost;
  readonly tokenSeconds?: number;
  readonly logins?: LoginsConfig;
  readonly corsOrigins?: readonly string[];
  /** Default: as in the documentation of the configuration. */
  readonly rest?: RestConfig;
  /** Told of changes in Identity that may end tokens, before they are answered. */
  readonly onRightsChange?: (change: RightsChange) => void;
  readonly onPortEvents?: (ctx: Ctx, events: readonly PortEvent[]) => Promise<void>;
  readonly startSpan?: HttpEnv["startSpan"];
  /** Makes the turns of one service. */
  readonly turns?: () => HttpEnv["turns"];
}

/** The running services. */
export interface Standalone {
  readonly identity: Identity;
  readonly image: ImageService;
  readonly network: NetworkService;
  readonly volume: VolumeService | undefined;
  readonly seeded: Seeded;
  /** Base addresses without versions. */
  readonly urls: {
    readonly identity: string;
    readonly image: string;
    readonly network: string;
    /** Empty when there is none. */
    readonly volume: string;
  };
  /** Stops serving; running requests get `graceMs`. The pool stays open. */
  close(graceMs?: number): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 60_000;
/** Up- and downloads of images take as long as they take. */
const IMAGE_TIMEOUT_MS = 6 * 3_600_000;
const PURGE_EVERY_MS = 600_000;

/** Migrates, seeds and serves Identity, Image, Network and Block Storage. */
export async function startStandalone(ctx: Ctx, options: StandaloneOptions): Promise<Standalone> {
  const {
    pool,
    schema = "standalone",
    clock,
    ids,
    random,
    log,
    region = "RegionOne",
    host = "127.0.0.1",
    rest = defaultRest,
  } = options;
  await migrate(ctx, pool, schema, standaloneMigrations);
  const urls = { identity: "", image: "", network: "", volume: "" };
  const services = (): ServiceConfig[] => [
    { type: "identity", name: "keystone", publicUrl: `${urls.identity}/v3` },
    { type: "image", name: "glance", publicUrl: urls.image },
    { type: "network", name: "neutron", publicUrl: urls.network },
    ...(options.volume ? volumeEndpoints(urls.volume) : []),
    ...options.services(),
  ];
  const identity = buildIdentity({
    db: openDatabase<IdentityTables>(pool, { schema, clock }),
    clock,
    config: { region, services, tokenSeconds: options.tokenSeconds ?? 3_600 },
    ...(options.passwordCost ? { passwordCost: options.passwordCost } : {}),
    ...(options.logins ? { logins: options.logins } : {}),
    ...(options.onRightsChange ? { onRightsChange: options.onRightsChange } : {}),
  });
  const { authenticate } = identity;
  const image = await buildImage(ctx, {
    db: openDatabase<ImageTables>(pool, { schema, clock }),
    clock,
    ids,
    log,
    directory: options.imageDirectory,
    authenticate,
    limits: options.imageLimits ?? imageConfig.parse({}),
  });
  const network = buildNetwork({
    db: openDatabase<NetworkTables>(pool, { schema, clock }),
    clock,
    ids,
    random,
    authenticate,
    ...(options.onPortEvents ? { onPortEvents: options.onPortEvents } : {}),
  });
  const volume = options.volume
    ? await buildVolume(ctx, {
        db: openDatabase<VolumeTables>(pool, { schema, clock }),
        clock,
        ids,
        log,
        directory: options.volume.directory,
        limits: options.volume.limits ?? volumeConfig.parse({}),
        programs: options.volume.programs,
        image: image.parts,
        authenticate,
        ...(options.volume.onVolumeEvents ? { onVolumeEvents: options.volume.onVolumeEvents } : {}),
      })
    : undefined;
  const seeded = await seedStandalone(ctx, { identity, image, network }, options.seed);

  const env = {
    log,
    ids,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    corsOrigins: options.corsOrigins ?? [],
    trustedProxies: rest.trustedProxies,
    ...(options.startSpan ? { startSpan: options.startSpan } : {}),
  };
  const turns = options.turns ?? ((): undefined => undefined);
  const servers: HttpServer[] = [];
  const serve = async (
    app: Parameters<typeof listen>[0],
    port: number,
    receiveTimeoutMs?: number,
  ): Promise<string> => {
    const server = await listen(app, {
      host,
      port,
      log,
      limits: rest,
      ...(receiveTimeoutMs === undefined ? {} : { receiveTimeoutMs }),
    });
    servers.push(server);
    return server.url;
  };
  const close = async (graceMs?: number): Promise<void> => {
    await Promise.all(servers.map((server) => server.close(graceMs)));
  };
  try {
    urls.identity = await serve(identity.app({ ...env, turns: turns() }), options.ports.identity);
    const identityUrl = `${urls.identity}/v3`;
    urls.image = await serve(
      image.app({ ...env, turns: turns(), requestTimeoutMs: IMAGE_TIMEOUT_MS, identityUrl }),
      options.ports.image,
      0,
    );
    urls.network = await serve(network.app({ ...env, turns: turns(), identityUrl }), options.ports.network);
    if (volume && options.volume)
      urls.volume = await serve(volume.app({ ...env, turns: turns(), identityUrl }), options.volume.port);
  } catch (error) {
    await volume?.close();
    await image.close();
    await close(0);
    throw error;
  }
  const stopPurging = purgeTokens(identity, clock, log);
  return {
    identity,
    image,
    network,
    volume,
    seeded,
    urls,
    close: async (graceMs) => {
      stopPurging();
      network.close();
      await close(graceMs);
      await image.close();
      await volume?.close();
    },
  };
}

/** Under the name that clients look for now, and the one that older ones do. */
const volumeEndpoints = (url: string): ServiceConfig[] =>
  [
    { type: "block-storage", name: "cinder" },
    { type: "volumev3", name: "cinderv3" },
  ].map((service) => ({ ...service, publicUrl: `${url}/v3/%(project_id)s` }));

/** Forgets tokens that ended long ago, every ten minutes. */
function purgeTokens(identity: Identity, clock: Clock, log: Logger): () => void {
  const purge = (): void => {
    const ctx = rootCtx({ requestId: "req-token-purge", log, deadlineMs: Date.now() + 30_000 });
    identity.parts.tokens
      .purge(ctx, clock.now())
      .catch((error: unknown) => log.warn("identity.token.purge.failed", { error }));
  };
  const timer = setInterval(purge, PURGE_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
