import type { TokenInfo, TokenValidator } from "../../clients/keystone/ports.js";
import type { Actor } from "../../kernel/index.js";
import { anonymous, defineErrors } from "../../kernel/index.js";

export const PROJECT = "6f70656e737461636b20342065766572";
const TestErrors = defineErrors("keystone", {
  TOKEN_INVALID: ["unauthenticated", (_p: Record<string, never>) => "The token is not valid."],
});

const roles: Readonly<Record<string, readonly string[]>> = {
  admin: ["admin", "manager", "member", "reader"],
  member: ["member", "reader"],
  reader: ["reader"],
  nobody: [],
  service: ["service"],
};

export const actorOf = (token: string): Actor => ({
  ...anonymous,
  kind: "user",
  userId: `${token}-user`,
  projectId: PROJECT,
  roles: roles[token] ?? [],
});

/**
 * Tokens are the names of roles; `expired-member` only passes for sister services.
 * @param actors  further tokens, or other actors for these
 */
export function fakeTokens(actors: Readonly<Record<string, Actor>> = {}): TokenValidator {
  const known = new Map([
    ...Object.keys(roles).map((name) => [name, actorOf(name)] as const),
    ...Object.entries(actors),
  ]);
  return {
    validate: async (_ctx, token, options) => {
      const actor = known.get(options?.allowExpired ? token.replace(/^expired-/, "") : token);
      if (!actor) throw TestErrors.TOKEN_INVALID({});
      return tokenInfo(actor);
    },
  };
}

const tokenInfo = (actor: Actor): TokenInfo => ({
  actor,
  userName: "",
  userDomainId: "",
  userDomainName: "",
  projectName: "",
  projectDomainId: "",
  projectDomainName: "",
  domainName: "",
  methods: ["password"],
  issuedAt: 0n,
  expiresAt: 4_000_000_000_000_000n,
  catalog: [],
});
