import type { Clock } from "../../kernel/index.js";
import type { KeystoneOptions } from "../keystone/index.js";
import { keystoneClient } from "../keystone/index.js";
import type { Keystone } from "../keystone/index.js";
import { HandmadeServer } from "./handmade-server.js";
import type { HandmadeAnswer } from "./handmade-server.js";

/** One endpoint as a real catalog writes it. */
export interface HandmadeEndpoint {
  readonly interface: string;
  readonly region: string;
  readonly url: string;
}

/**
 * A server that stands for a whole cloud: Identity below `/v3`, and other services wherever its catalog says.
 */
export interface HandmadeCloud {
  readonly server: HandmadeServer;
  readonly keystone: Keystone;
  readonly clock: Clock;
  /** Milliseconds that somebody slept for; nobody really waits. */
  readonly slept: number[];
  /** Moves the clock. */
  pass(ms: number): void;
  /** What the next logins give: `token-1`, `token-2` … for `lifeMs`. */
  readonly logins: () => number;
  close(): Promise<void>;
}

export interface HandmadeCloudOptions {
  readonly catalog: (
    url: string,
  ) => readonly { readonly type: string; readonly endpoints: readonly HandmadeEndpoint[] }[];
  /** Of a login's token. Default an hour. */
  readonly lifeMs?: number;
  readonly keystone?: Partial<Pick<KeystoneOptions, "authUrl" | "region" | "interface" | "endpoints">>;
}

/** A token's body as Keystone 22 writes it, extra fields included. */
export const tokenBody = (
  now: number,
  lifeMs: number,
  catalog: readonly unknown[] = [],
  more: object = {},
): object => ({
  token: {
    methods: ["password"],
    is_domain: false,
    issued_at: micros(now),
    expires_at: micros(now + lifeMs),
    audit_ids: ["3T2dc1CGQxyJsHdDu1xkcw"],
    user: { domain: { id: "default", name: "Default" }, id: "u-1", name: "nova", password_expires_at: null },
    project: { domain: { id: "default", name: "Default" }, id: "p-1", name: "service" },
    roles: [
      { id: "r-1", name: "admin" },
      { id: "r-2", name: "service" },
    ],
    catalog,
    ...more,
  },
});

const micros = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");

export async function handmadeCloud(options: HandmadeCloudOptions): Promise<HandmadeCloud> {
  const server = await HandmadeServer.start();
  const slept: number[] = [];
  let nowMs = Date.parse("2026-11-22T12:00:00Z");
  let logins = 0;
  const clock: Clock = {
    now: () => BigInt(nowMs) * 1_000n,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      slept.push(ms);
    },
  };
  const catalog = options.catalog(server.url).map(({ type, endpoints }) => ({
    id: `s-${type}`,
    type,
    name: type,
    endpoints: endpoints.map((one, n) => ({ id: `e-${n}`, region_id: one.region, ...one })),
  }));
  const login: HandmadeAnswer = (_req, res) => {
    res.writeHead(201, {
      "Content-Type": "application/json",
      "X-Subject-Token": `token-${++logins}`,
      Vary: "X-Auth-Token",
    });
    res.end(JSON.stringify(tokenBody(nowMs, options.lifeMs ?? 3_600_000, catalog)));
  };
  server.on("POST /v3/auth/tokens", login);
  const keystone = keystoneClient({
    authUrl: `${server.url}/v3`,
    region: "RegionOne",
    clock,
    random: () => 0.5,
    credentials: {
      username: "nova",
      password: "x",
      userDomainName: "Default",
      projectName: "service",
      projectDomainName: "Default",
    },
    ...options.keystone,
    ...(options.keystone?.authUrl === undefined
      ? {}
      : { authUrl: options.keystone.authUrl.replace("SERVER", server.url) }),
  });
  return {
    server,
    keystone,
    clock,
    slept,
    pass: (ms) => {
      nowMs += ms;
    },
    logins: () => logins,
    close: () => server.close(),
  };
}
