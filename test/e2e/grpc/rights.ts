import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { KilonovaError } from "../../../pkg/kernel/index.js";
import { until } from "../../../pkg/testkit/until.js";
import { GrpcUser, call, failure } from "../support/grpc-user.js";
import { askIdentity } from "../support/identity.js";
import { Watcher } from "../support/watcher.js";
import type { Stage } from "./stage.js";

type Json = Readonly<Record<string, unknown>>;

/** Longer than any of these tests: the operation that is waited for does not end by itself. */
const SLOW_MS = 600_000;

/** Somebody with rights that will end. */
interface Principal {
  readonly userId: string;
  readonly projectId: string;
  readonly domainId: string;
  readonly roleId: string;
  readonly token: string;
  readonly credentialId: string;
}

/** How rights end, and what has to be there first. */
interface Way {
  readonly what: string;
  /** A project, and a domain around it, that nobody else needs. */
  readonly alone?: boolean;
  /** The role in the project; `custom` is a new one that implies member. */
  readonly role?: "member" | "admin" | "custom";
  readonly byCredential?: boolean;
  end(id: IdentityAdmin, who: Principal): Promise<void>;
}

/** Identity as its administrator uses it. */
interface IdentityAdmin {
  call(method: string, path: string, body?: Json, headers?: Readonly<Record<string, string>>): Promise<Json>;
  role(name: string): Promise<string>;
}

const grantPath = ({ projectId, userId, roleId }: Principal): string =>
  `/projects/${projectId}/users/${userId}/roles/${roleId}`;
const ways: readonly Way[] = [
  {
    what: "its token is revoked",
    end: async (id, { token }) => {
      await id.call("DELETE", "/auth/tokens", undefined, { "x-subject-token": token });
    },
  },
  {
    what: "its password is changed",
    end: async (id, { userId }) => {
      await id.call("PATCH", `/users/${userId}`, { user: { password: "another" } });
    },
  },
  {
    what: "its role is taken away",
    end: async (id, who) => {
      await id.call("DELETE", grantPath(who));
    },
  },
  {
    what: "its role is deleted",
    role: "custom",
    end: async (id, { roleId }) => {
      await id.call("DELETE", `/roles/${roleId}`);
    },
  },
  {
    what: "its user is disabled",
    end: async (id, { userId }) => {
      await id.call("PATCH", `/users/${userId}`, { user: { enabled: false } });
    },
  },
  {
    what: "its user is deleted",
    end: async (id, { userId }) => {
      await id.call("DELETE", `/users/${userId}`);
    },
  },
  {
    what: "its project is disabled",
    alone: true,
    end: async (id, { projectId }) => {
      await id.call("PATCH", `/projects/${projectId}`, { project: { enabled: false } });
    },
  },
  {
    what: "its project is deleted",
    alone: true,
    end: async (id, { projectId }) => {
      await id.call("DELETE", `/projects/${projectId}`);
    },
  },
  {
    what: "its domain is disabled",
    alone: true,
    end: async (id, { domainId }) => {
      await id.call("PATCH", `/domains/${domainId}`, { domain: { enabled: false } });
    },
  },
  {
    what: "its application credential is deleted",
    byCredential: true,
    end: async (id, { userId, credentialId }) => {
      await id.call("DELETE", `/users/${userId}/application_credentials/${credentialId}`);
    },
  },
];
const demotion: Way = {
  what: "it administers no longer",
  role: "admin",
  end: async (id, who) => {
    const member = { ...who, roleId: await id.role("member") };
    await id.call("PUT", grantPath(member));
    await id.call("DELETE", grantPath(who));
  },
};

/** In one process rights end at once, everywhere, whatever ends them. */
export function rights(stage: Stage): void {
  const url = (port: number, path: string): string => `http://127.0.0.1:${stage.cloud.port(port)}${path}`;
  const send = (address: string, token: string, init: RequestInit = {}): Promise<Response> =>
    fetch(address, { ...init, headers: { "x-auth-token": token, ...init.headers } });
  const id: IdentityAdmin = {
    call: async (method, path, body, headers = {}) => {
      const answer = await send(url(5000, `/v3${path}`), stage.admin.token, {
        method,
        headers: { "content-type": "application/json", ...headers },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await answer.text();
      assert.ok(answer.ok, `${method} ${path}: ${text}`);
      return text === "" ? {} : (JSON.parse(text) as Json);
    },
    role: async (name) => {
      const { roles } = await id.call("GET", `/roles?name=${name}`);
      return (roles as { id: string }[])[0]?.id ?? assert.fail(name);
    },
  };
  const idOf = (made: Json, kind: string): string => (made[kind] as { id: string }).id;
  const make = async (kind: string, fields: Json): Promise<string> =>
    idOf(await id.call("POST", `/${kind}s`, { [kind]: { name: `ends-${randomUUID()}`, ...fields } }), kind);

  const logIn = async (identity: Json, scope: Json): Promise<string> => {
    const answer = await askIdentity(() =>
      fetch(url(5000, "/v3/auth/tokens"), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ auth: { identity, ...scope } }),
      }),
    );
    return answer.headers.get("x-subject-token") ?? assert.fail(await answer.text());
  };
  const customRole = async (): Promise<string> => {
    const made = await make("role", {});
    await id.call("PUT", `/roles/${made}/implies/${await id.role("member")}`);
    return made;
  };

  /** One for all, as long as nobody ends it. */
  let common: { projectId: string; operation: string };
  /** A project whose only server never gets ready. */
  const projectWithWork = async (domainId: string): Promise<{ projectId: string; operation: string }> => {
    const projectId = await make("project", { domain_id: domainId });
    const builder = await principal({ projectId, domainId, roleId: await id.role("member") }, {});
    const user = await GrpcUser.of(stage.cloud, builder.token);
    const { operation } = await user.create("never-ready");
    await user.channel.close();
    return { projectId, operation: operation.name };
  };
  const principal = async (
    place: { projectId: string; domainId: string; roleId: string },
    { byCredential, expiresAt }: { byCredential?: boolean; expiresAt?: string },
  ): Promise<Principal> => {
    const userId = await make("user", { password: "pw", domain_id: place.domainId });
    await id.call("PUT", grantPath({ ...place, userId, token: "", credentialId: "" }));
    const scope = { scope: { project: { id: place.projectId } } };
    const token = await logIn(
      { methods: ["password"], password: { user: { id: userId, password: "pw" } } },
      scope,
    );
    if (!byCredential) return { ...place, userId, token, credentialId: "" };
    const made = await send(url(5000, `/v3/users/${userId}/application_credentials`), token, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ application_credential: { name: "c", expires_at: expiresAt ?? null } }),
    });
    const credential = ((await made.json()) as { application_credential: { id: string; secret: string } })
      .application_credential;
    const methods = ["application_credential"];
    return {
      ...place,
      userId,
      credentialId: credential.id,
      token: await logIn({ methods, application_credential: credential }, {}),
    };
  };
  const prepare = async (
    way: Pick<Way, "alone" | "role" | "byCredential"> & { readonly expiresAt?: string },
  ): Promise<{ who: Principal; operation: string }> => {
    const domainId = way.alone ? await make("domain", {}) : "default";
    const { projectId, operation } = way.alone ? await projectWithWork(domainId) : common;
    const roleId = way.role === "custom" ? await customRole() : await id.role(way.role ?? "member");
    return { who: await principal({ projectId, domainId, roleId }, way), operation };
  };

  /** What a principal keeps open: both must end. */
  const open = async (
    token: string,
    operation: string,
  ): Promise<{ ended: Promise<readonly KilonovaError[]>; close(): Promise<void> }> => {
    const user = await GrpcUser.of(stage.cloud, token);
    const waiting = failure(
      user.operations.waitOperation(call(), { name: operation, timeout: { seconds: 240n, nanos: 0 } }),
    );
    waiting.catch(() => {}); // Looked at when the rights have ended.
    const watcher = await Watcher.open(user);
    return {
      ended: Promise.all([watcher.ended().then(() => watcher.broken as KilonovaError), waiting]),
      close: async () => {
        await watcher.stop();
        await user.channel.close();
      },
    };
  };

  /** What is asked of each service, and what it answers before and after. */
  type Probe = readonly [address: string, before: number, after: number];
  const statuses = (probes: readonly Probe[], token: string): Promise<number[]> =>
    Promise.all(
      probes.map(async ([address]) => {
        const answer = await send(address, token);
        await answer.arrayBuffer();
        return answer.status;
      }),
    );
  const everyday = (): readonly Probe[] => [
    [url(8774, "/v2.1/servers"), 200, 401],
    // Members may not, but they are known.
    [url(8778, "/resource_providers"), 403, 401],
    [url(9292, "/v2/images"), 200, 401],
    [url(9696, "/v2.0/networks"), 200, 401],
  ];
  let hidden: { image: string; network: string };
  const administrative = (): readonly Probe[] => [
    [url(8774, "/v2.1/os-services"), 200, 403],
    [url(8778, "/resource_providers"), 200, 403],
    [url(9292, `/v2/images/${hidden.image}`), 200, 404],
    [url(9696, `/v2.0/networks/${hidden.network}`), 200, 404],
  ];
  const before_ = (probes: readonly Probe[]): number[] => probes.map(([, status]) => status);
  const after_ = (probes: readonly Probe[]): number[] => probes.map(([, , status]) => status);

  before(async () => {
    await stage.script({ method: "powerOn", delayMs: SLOW_MS });
    common = await projectWithWork("default");
    const hide = async (port: number, path: string, body: Json): Promise<Json> =>
      (await (
        await send(url(port, path), stage.admin.token, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        })
      ).json()) as Json;
    const image = await hide(9292, "/v2/images", { name: "hidden", visibility: "private" });
    const network = await hide(9696, "/v2.0/networks", { network: { name: "hidden" } });
    hidden = { image: image["id"] as string, network: idOf(network, "network") };
  });
  after(() => stage.script());

  for (const way of [...ways, demotion])
    it(`end at once, open calls too, when ${way.what}`, async () => {
      const { who, operation } = await prepare(way);
      const probes = way === demotion ? administrative() : everyday();
      const calls = await open(who.token, operation);
      try {
        assert.deepEqual(await statuses(probes, who.token), before_(probes));
        await way.end(id, who);
        assert.deepEqual(await statuses(probes, who.token), after_(probes));
        for (const error of await calls.ended) assert.equal(error.kind, "unauthenticated", error.message);
      } finally {
        await calls.close();
      }
    });

  it("end, open calls too, when the token's time is over", async () => {
    const begin = async (expiresAt: string) => {
      const { who, operation } = await prepare({ byCredential: true, expiresAt });
      return { who, calls: await open(who.token, operation) };
    };
    for (const lifeMs of [4_000, 30_000, 120_000]) {
      const expiresAt = new Date(Date.now() + lifeMs).toISOString();
      const isOver = (): boolean => Date.now() >= Date.parse(expiresAt);
      const begun = await begin(expiresAt).catch((error: unknown) => {
        if (isOver()) return undefined;
        throw error;
      });
      // Too slow a machine for so short a life.
      if (begun === undefined) continue;
      const { who, calls } = begun;
      try {
        const seen = await statuses(everyday(), who.token);
        if (isOver()) continue;
        assert.deepEqual(seen, before_(everyday()));
        await until(isOver, { timeoutMs: 2 * lifeMs });
        assert.deepEqual(await statuses(everyday(), who.token), after_(everyday()));
        for (const error of await calls.ended) assert.equal(error.kind, "unauthenticated", error.message);
        return;
      } finally {
        await calls.close();
      }
    }
    assert.fail("two minutes were not enough");
  });
}
