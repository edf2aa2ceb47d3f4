import type { Clock } from "../../../kernel/index.js";
import type { Passwords } from "../adapters/crypto.js";
import { secretChecks } from "../adapters/secret-checks.js";
import { loginsConfig } from "../config.js";
import type { Account } from "../adapters/sql/directory.js";
import type { TokenRecord } from "../domain/model.js";
import type { IdentityParts } from "../ports.js";

const unused = (what: string) =>
  new Proxy(
    {},
    {
      get: (_target, name) => () => {
        throw new Error(`${what}.${String(name)} is not part of this test`);
      },
    },
  );

/** What a test's Identity knows and does. */
export interface AnIdentity {
  readonly clock: Clock;
  readonly accounts: readonly Account[];
  /** Stored "hashes" are the passwords themselves. */
  readonly verify?: Passwords["verify"];
  readonly logins?: Partial<Parameters<typeof loginsConfig.parse>[0] & object>;
}

export const anAccount = (over: Partial<Account> = {}): Account => ({
  id: "u-1",
  name: "alice",
  domainId: "default",
  enabled: true,
  description: "",
  email: null,
  defaultProjectId: null,
  options: {},
  extra: {},
  passwordHash: "right",
  domainEnabled: true,
  ...over,
});

/** The parts of an Identity without a database: unscoped logins and tokens only. */
export function anIdentity({ clock, accounts, verify, logins = {} }: AnIdentity): {
  readonly parts: IdentityParts;
  readonly tokens: Map<string, TokenRecord>;
} {
  const tokens = new Map<string, TokenRecord>();
  const passwords: Passwords = {
    hash: async (password) => password,
    verify: verify ?? (async (password, stored) => password === stored),
  };
  const named = { id: "default", name: "Default" };
  const parts: IdentityParts = {
    clock,
    config: { region: "R", services: () => [], tokenSeconds: 3_600 },
    passwords,
    secrets: secretChecks(passwords, clock, loginsConfig.parse(logins)),
    directory: {
      ...(unused("directory") as IdentityParts["directory"]),
      account: async (_ctx, ref) =>
        accounts.find((one) => ("id" in ref ? one.id === ref.id : one.name === ref.name)),
      user: async (_ctx, id) => accounts.find((one) => one.id === id),
    },
    assignments: unused("assignments") as IdentityParts["assignments"],
    credentials: {
      ...(unused("credentials") as IdentityParts["credentials"]),
      find: async () => undefined,
    },
    tokens: {
      ...(unused("tokens") as IdentityParts["tokens"]),
      insert: async (_ctx, hash, record) => {
        tokens.set(hash.toString("hex"), record);
      },
      find: async (_ctx, hash, now) => {
        const record = tokens.get(hash.toString("hex"));
        const user = accounts.find((one) => one.id === record?.userId);
        if (!record || !user || record.expiresAt <= now) return undefined;
        return {
          record,
          user: { id: user.id, name: user.name, domain: named },
          project: undefined,
          domain: undefined,
          roles: [],
        };
      },
    },
  };
  return { parts, tokens };
}
