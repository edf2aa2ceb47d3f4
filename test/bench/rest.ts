import { Agent, request } from "node:http";

/** Has growth of volumes that are in use. */
const VOLUME_VERSION = "3.42";

/** A REST caller that keeps its connections and costs little itself. */
export class Rest {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  #token = "";
  #projectId = "";

  readonly base: string;

  constructor(base: string) {
    this.base = base;
  }

  async login(identityUrl: string, credentials: Readonly<Record<string, string>>): Promise<void> {
    const body = {
      auth: {
        identity: {
          methods: ["password"],
          password: {
            user: {
              name: credentials["OS_USERNAME"],
              domain: { name: "Default" },
              password: credentials["OS_PASSWORD"],
            },
          },
        },
        scope: { project: { name: credentials["OS_PROJECT_NAME"], domain: { name: "Default" } } },
      },
    };
    const answer = await fetch(`${identityUrl}/v3/auth/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.status !== 201) throw new Error(`login: ${answer.status}`);
    this.#token = answer.headers.get("x-subject-token") ?? "";
    this.#projectId = ((await answer.json()) as { token: { project: { id: string } } }).token.project.id;
  }

  token(): string {
    return this.#token;
  }

  projectId(): string {
    return this.#projectId;
  }

  /** @returns the body as text @throws when the status is not 2xx */
  send(method: string, path: string, body?: unknown, version = "2.1"): Promise<string> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    // The only lists that are sent are the Image service's changes of an image.
    const type = Array.isArray(body) ? "application/openstack-images-v2.1-json-patch" : "application/json";
    return new Promise((resolve, reject) => {
      const req = request(
        `${this.base}${path}`,
        {
          method,
          agent: this.#agent,
          headers: {
            "X-Auth-Token": this.#token,
            // Each service reads its own.
            "OpenStack-API-Version": `compute ${version}, volume ${VOLUME_VERSION}`,
            ...(text === undefined
              ? {}
              : { "content-type": type, "content-length": Buffer.byteLength(text) }),
          },
        },
        (res) => {
          const chunks: Buffer[] = [];
          res.on("data", (chunk: Buffer) => chunks.push(chunk));
          res.on("end", () => {
            const answer = Buffer.concat(chunks).toString();
            const status = res.statusCode ?? 0;
            if (status >= 200 && status < 300) resolve(answer);
            else reject(new Error(`${method} ${path}: ${status} ${answer.slice(0, 300)}`));
          });
        },
      );
      req.on("error", reject);
      req.end(text);
    });
  }

  async json<T>(method: string, path: string, body?: unknown, version?: string): Promise<T> {
    return JSON.parse(await this.send(method, path, body, version)) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Runs `count` calls with at most `concurrency` at once. */
export async function many(
  count: number,
  concurrency: number,
  call: (i: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < count) await call(next++);
    }),
  );
}
