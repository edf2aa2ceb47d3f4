import { anonymous } from "../../../kernel/index.js";
import type { Actor } from "../../../kernel/index.js";
import { KeystoneErrors } from "../errors.js";
import type { CatalogService, Keystone, TokenInfo } from "../ports.js";

const FAR_AWAY = 4_102_444_800_000_000n;

/** Identity in memory: tokens and projects are what the test says. */
export interface FakeKeystone extends Keystone {
  /** Makes `token` valid for the actor. */
  addToken(token: string, actor: Partial<Actor>, info?: Partial<Omit<TokenInfo, "actor">>): TokenInfo;
  revoke(token: string): void;
  addProject(id: string): void;
  /** While true, every call throws IDENTITY_UNAVAILABLE. */
  down: boolean;
}

export function fakeKeystone(catalog: readonly CatalogService[] = []): FakeKeystone {
  const tokens = new Map<string, TokenInfo>();
  const projects = new Set<string>();
  const demandUp = (): void => { if (fake.down) throw KeystoneErrors.IDENTITY_UNAVAILABLE({}); };
  const fake: FakeKeystone = {
    down: false,
    addToken: (token, actor, info = {}) => {
      const full: TokenInfo = {
        userName: "user", userDomainId: "default", userDomainName: "Default", projectName: "project", projectDomainId: "default",
        projectDomainName: "Default", domainName: "", methods: ["password"], issuedAt: 0n, expiresAt: FAR_AWAY, catalog, ...info,
        actor: { ...anonymous, kind: "user", userId: "user-id", projectId: "project-id", domainId: "default", roles: ["member", "reader"], ...actor },
      };
      tokens.set(token, full);
      if (full.actor.projectId !== "") projects.add(full.actor.projectId);
      return full;
    },
    revoke: (token) => { tokens.delete(token); },
    addProject: (id) => { projects.add(id); },
    validate: async (_ctx, token) => {
      demandUp();
      const info = tokens.get(token);
      if (!info) throw KeystoneErrors.TOKEN_INVALID({});
      return info;
    },
    projectExists: async (_ctx, id) => { demandUp(); return projects.has(id); },
    serviceToken: async () => { demandUp(); return "service-token"; },
    session: {
      token: async () => { demandUp(); return "service-token"; },
      discard: () => {},
      endpoint: async (_ctx, type) => {
        const url = catalog.find((service) => service.type === type)?.endpoints[0]?.url;
        if (url === undefined) throw KeystoneErrors.ENDPOINT_NOT_FOUND({ service: type });
        return url.replace(/\/+$/, "");
      },
    },
  };
  return fake;
}
