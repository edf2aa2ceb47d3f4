import type { Etcd3, IOptions } from "etcd3";
import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import type { Clock } from "../../kernel/time.js";
import { whenAborted } from "../../kernel/signals.js";
import { systemClock } from "../process/clock.js";
import { CoordinationErrors } from "./errors.js";
import { boundedCall, rangeOf, toKeyValue } from "./etcd-calls.js";
import type { EtcdCalls } from "./etcd-calls.js";
import { keepAlive } from "./etcd-keep-alive.js";
import { watchPrefix } from "./etcd-watch.js";
import { LeaseKeeper } from "./keeper.js";
import type { CoordinationStore, Lease, Listing, WatchEvent } from "./ports.js";

export interface EtcdOptions {
  /** `http://127.0.0.1:2379`, several for a cluster. */
  readonly endpoints: readonly string[];
  /** PEM texts for TLS and mutual TLS. */
  readonly tls?: { readonly ca: string; readonly key?: string; readonly certificate?: string };
  /** Deadline of each call, when the context has no shorter one; 2,000 by default. */
  readonly callTimeoutMs?: number;
  readonly clock?: Clock;
}

/**
 * Connects to etcd. The etcd3 package is loaded here and not before: it parses protos for 180 ms. Of its
 * helpers only the plain calls are used: its circuit breaker would add up to 5 s to reconnects, its calls
 * have no deadline, and its leases report their loss too late.
 */
export async function connectEtcd(options: EtcdOptions): Promise<CoordinationStore> {
  const [{ Etcd3: Client }, { noop }] = await Promise.all([import("etcd3"), import("cockatiel")]);
  const settings: IOptions = {
    hosts: [...options.endpoints],
    faultHandling: { host: () => noop, global: noop },
    grpcOptions: {
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
      // Half-open connections; etcd answers pings more often than every 5 s by hanging up.
      "grpc.keepalive_time_ms": 6_000,
      "grpc.keepalive_timeout_ms": 3_000,
    },
    ...(options.tls === undefined ? {} : { credentials: credentialsOf(options.tls) }),
  };
  return etcdStore(new Client(settings), options);
}

function credentialsOf({
  ca,
  key,
  certificate,
}: NonNullable<EtcdOptions["tls"]>): NonNullable<IOptions["credentials"]> {
  return {
    rootCertificate: Buffer.from(ca),
    ...(key === undefined ? {} : { privateKey: Buffer.from(key) }),
    ...(certificate === undefined ? {} : { certChain: Buffer.from(certificate) }),
  };
}

function etcdStore(
  client: Etcd3,
  { callTimeoutMs = 2_000, clock = systemClock }: EtcdOptions,
): CoordinationStore {
  const closing = new AbortController();
  const calls: EtcdCalls = {
    client,
    clock,
    closed: closing.signal,
    call: (ctx, fn) => boundedCall(ctx, callTimeoutMs, closing.signal, fn),
  };

  const list = async (ctx: Ctx, prefix: string): Promise<Listing> => {
    const { header, kvs } = await calls.call(ctx, (call) =>
      client.kv.range({ ...rangeOf(prefix), sort_order: "Ascend", sort_target: "Key" }, call),
    );
    return { entries: kvs.map(toKeyValue), revision: Number(header.revision) };
  };
  return {
    grant: (ctx, ttlMs) => grant(ctx, calls, ttlMs),
    get: async (ctx, key) => {
      const { kvs } = await calls.call(ctx, (call) => client.kv.range({ key: Buffer.from(key) }, call));
      return kvs.map(toKeyValue)[0];
    },
    list,
    watch: (ctx, prefix): AsyncGenerator<WatchEvent, void, void> => watchPrefix(ctx, calls, list, prefix),
    close: async () => {
      closing.abort(CoordinationErrors.STORE_UNAVAILABLE({}));
      client.close();
    },
  };
}

async function grant(ctx: Ctx, calls: EtcdCalls, wantedMs: number): Promise<Lease> {
  const { client, clock } = calls;
  const sentMs = clock.monotonicMs();
  const { ID: id, TTL } = await calls.call(ctx, (call) =>
    client.leaseClient.leaseGrant({ TTL: Math.ceil(wantedMs / 1000) }, call),
  );
  const ttlMs = Number(TTL) * 1000;
  const keeper = new LeaseKeeper(clock, ttlMs, sentMs);
  const leave = whenAborted(calls.closed, () => keeper.lose());
  const stream = keepAlive(client, id);
  void keeper
    .run((signal) => stream.renew(signal))
    .finally(() => {
      leave();
      stream.close();
    });

  const write = async <T>(
    inner: Ctx,
    fn: (options: { readonly deadline: number }) => Promise<T>,
  ): Promise<T> => {
    if (!keeper.held) throw CoordinationErrors.LEASE_LOST({});
    try {
      return await calls.call(inner, fn);
    } catch (error) {
      if (error instanceof KilonovaError && error.reason === "LEASE_LOST") keeper.lose();
      throw error;
    }
  };
  const request = (key: string, value: string): { key: Buffer; value: Buffer; lease: string } => ({
    key: Buffer.from(key),
    value: Buffer.from(value),
    lease: id,
  });
  return {
    id,
    ttlMs,
    signal: keeper.signal,
    get held() {
      return keeper.held;
    },
    put: async (inner, key, value) =>
      Number((await write(inner, (call) => client.kv.put(request(key, value), call))).header.revision),
    delete: async (inner, key) => {
      await calls.call(inner, (call) => client.kv.deleteRange({ key: Buffer.from(key) }, call));
    },
    revoke: async (inner) => {
      keeper.end();
      await calls.call(inner, (call) => client.leaseClient.leaseRevoke({ ID: id }, call)).catch(() => {});
    },
  };
}
