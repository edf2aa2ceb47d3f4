import { Agent, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { fakeTokens } from "./test-tokens.js";
import type { TokenValidator } from "../../clients/keystone/ports.js";
import type { Channel } from "../../platform/rpc/index.js";
import type { Logger } from "../../kernel/index.js";
import { silentLogger } from "../../kernel/index.js";
import { createPolicy } from "../../policy/index.js";
import { systemIds } from "../../platform/process/ids.js";
import { gatewayConfig } from "../config.js";
import type { GatewayPolicy } from "../ports.js";
import type { GatewayConfig } from "../config.js";
import { buildGateway } from "../wire.js";
import { fakeApiChannel } from "./fake-api.js";
import type { FakeApi, SeenCall } from "./fake-api.js";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Each header line as sent. */
  readonly rawHeaders: readonly string[];
  readonly text: string;
  /** The parsed body; undefined when there is none or it is no JSON. */
  readonly json: unknown;
}

export interface Ask {
  readonly method?: string;
  /** `2.53`; absent sends no version header. */
  readonly version?: string;
  readonly token?: string | null;
  /** JSON, or bytes as they are. */
  readonly body?: unknown;
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestGateway {
  readonly url: string;
  readonly calls: SeenCall[];
  ask(path: string, options?: Ask): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * A gateway on a free port in front of a fake api. Tokens: `admin`, `member`, `reader`, `nobody`; null sends
 * none.
 */
export async function startTestGateway(
  fake: FakeApi,
  config: Partial<GatewayConfig> = {},
): Promise<TestGateway> {
  const calls: SeenCall[] = [];
  return serveTestGateway(fakeApiChannel(fake, calls), { config, calls });
}

interface ServeOptions {
  readonly config?: Partial<GatewayConfig>;
  readonly tokens?: TokenValidator;
  readonly calls?: SeenCall[];
  readonly policy?: GatewayPolicy;
  readonly log?: Logger;
}

/** The same in front of any api. */
export async function serveTestGateway(
  api: Channel,
  {
    config = {},
    tokens = fakeTokens(),
    calls = [],
    policy = createPolicy(),
    log = silentLogger,
  }: ServeOptions = {},
): Promise<TestGateway> {
  const gateway = buildGateway({
    config: gatewayConfig.parse({ port: 0, ...config }),
    api,
    tokens,
    policy,
    log,
    ids: systemIds,
  });
  const server = await gateway.start();
  const agent = new Agent({ keepAlive: true });
  return {
    url: server.url,
    calls,
    ask: (path, options = {}) => send(agent, server.port, path, options),
    close: async () => {
      agent.destroy();
      await server.close(100);
    },
  };
}

/** Plain node:http: fetch would tidy up paths and hide repeated headers. */
function send(agent: Agent, port: number, path: string, options: Ask): Promise<Answer> {
  const { method = "GET", version, token = "member" } = options;
  const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const headers: Record<string, string> = {
    ...(token === null ? {} : { "x-auth-token": token }),
    ...(version === undefined ? {} : { "openstack-api-version": `compute ${version}` }),
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
    ...options.headers,
  };
  if (headers["transfer-encoding"] === "chunked") delete headers["content-length"];
  return new Promise((resolve, reject) => {
    const req = httpRequest({ host: "127.0.0.1", port, path, method, headers, agent }, (res) => {
      const parts: Buffer[] = [];
      res.on("data", (part: Buffer) => parts.push(part));
      res.on("end", () => {
        const text = Buffer.concat(parts).toString();
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          rawHeaders: res.rawHeaders,
          text,
          json: parsed(text),
        });
      });
      res.on("error", reject);
    });
    req.on("error", reject);
    req.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
