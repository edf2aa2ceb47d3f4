import type { Ctx, Instant } from "../../../kernel/index.js";
import { AuthErrors } from "../../shared/auth.js";
import { newAuditId, newSecret, tokenHash } from "../adapters/crypto.js";
import type { ApplicationCredential } from "../adapters/sql/credentials.js";
import { NO_LOCKOUT } from "../domain/model.js";
import type {
  AuthRequest,
  DomainRef,
  Proof,
  ProjectRef,
  Scope,
  TokenView,
  UserRef,
  WantedScope,
} from "../domain/model.js";
import type { IdentityParts } from "../ports.js";

/** A token that was just made: its secret, which is stored nowhere, and what it stands for. */
export interface IssuedToken {
  readonly secret: string;
  readonly view: TokenView;
}

/** What one proof showed. */
interface Proven {
  readonly userId: string;
  readonly methods: readonly string[];
  /** The token that it was shown with: its end and its chain carry over. */
  readonly token?: TokenView;
  readonly credential?: ApplicationCredential;
}

/**
 * Checks the proofs and issues a token for the wanted scope. All proofs must be for one user.
 * @param address  where the request came from: turns are shared and failures counted by it
 * @throws UNAUTHENTICATED with one text for every cause: bad proof, disabled user or project, no role there
 */
export async function authenticate(
  parts: IdentityParts,
  ctx: Ctx,
  request: AuthRequest,
  address: string,
): Promise<IssuedToken> {
  const proven: Proven[] = [];
  for (const proof of request.proofs) proven.push(await prove(parts, ctx, proof, address));
  const userId = proven[0]?.userId;
  if (userId === undefined || proven.some((one) => one.userId !== userId))
    throw AuthErrors.UNAUTHENTICATED({});
  const credential = proven.find((one) => one.credential)?.credential;
  const earlier = proven.find((one) => one.token)?.token;
  const scope = await chooseScope(parts, ctx, userId, request.scope, credential, earlier);
  return issue(parts, ctx, {
    userId,
    scope,
    methods: [...new Set(proven.flatMap((one) => one.methods))],
    credential,
    earlier,
  });
}

async function prove(parts: IdentityParts, ctx: Ctx, proof: Proof, address: string): Promise<Proven> {
  switch (proof.method) {
    case "password": {
      const account = await parts.directory.account(ctx, proof.user);
      const caller = {
        address,
        account: account?.id ?? unknownAccount(proof.user),
        exempt: account?.options[NO_LOCKOUT] === true,
      };
      const right = await parts.secrets.verify(ctx, caller, proof.password, account?.passwordHash);
      if (!account || !right || !account.enabled || !account.domainEnabled)
        throw AuthErrors.UNAUTHENTICATED({});
      return { userId: account.id, methods: ["password"] };
    }
    case "token": {
      const token = await parts.tokens.find(ctx, tokenHash(proof.token), parts.clock.now(), false);
      if (!token) throw AuthErrors.UNAUTHENTICATED({});
      return { userId: token.record.userId, methods: [...token.record.methods, "token"], token };
    }
    case "application_credential":
      return proveCredential(parts, ctx, proof, address);
  }
}

async function proveCredential(
  parts: IdentityParts,
  ctx: Ctx,
  proof: Extract<Proof, { method: "application_credential" }>,
  address: string,
): Promise<Proven> {
  const by =
    "id" in proof.credential
      ? proof.credential
      : await byOwner(parts, ctx, proof.credential.name, proof.credential.user);
  const found = await parts.credentials.find(ctx, by);
  const caller = { address, account: found?.id ?? `unknown ${JSON.stringify(proof.credential)}` };
  const right = await parts.secrets.verify(ctx, caller, proof.secret, found?.secretHash);
  if (!found || !right || (found.expiresAt !== null && found.expiresAt <= parts.clock.now()))
    throw AuthErrors.UNAUTHENTICATED({});
  return { userId: found.userId, methods: ["application_credential"], credential: found };
}

async function byOwner(
  parts: IdentityParts,
  ctx: Ctx,
  name: string,
  user: UserRef,
): Promise<{ userId: string; name: string }> {
  // Nobody's is looked for too: the time that it takes must not tell who exists.
  return { userId: (await parts.directory.account(ctx, user))?.id ?? "", name };
}

/** Failures count for accounts that do not exist too, else a pause would tell which do. */
const unknownAccount = (user: UserRef): string => `unknown ${JSON.stringify(user)}`;

/** An application credential, and a token made from one, stay in their project. */
async function chooseScope(
  parts: IdentityParts,
  ctx: Ctx,
  userId: string,
  wanted: WantedScope,
  credential: ApplicationCredential | undefined,
  earlier: TokenView | undefined,
): Promise<Scope | undefined> {
  if (credential) {
    if (wanted.kind !== "default") throw AuthErrors.UNAUTHENTICATED({});
    return { kind: "project", projectId: credential.projectId };
  }
  if (earlier && earlier.record.applicationCredentialId !== null && wanted.kind !== "default")
    throw AuthErrors.UNAUTHENTICATED({});
  switch (wanted.kind) {
    case "unscoped":
      return undefined;
    case "system":
      return { kind: "system" };
    case "domain":
      return { kind: "domain", domainId: await domainId(parts, ctx, wanted.domain) };
    case "project":
      return { kind: "project", projectId: await projectId(parts, ctx, wanted.project) };
    case "default":
      return earlier ? earlier.record.scope : defaultScope(parts, ctx, userId);
  }
}

async function domainId(parts: IdentityParts, ctx: Ctx, ref: DomainRef): Promise<string> {
  const domain = await parts.directory.domain(ctx, ref);
  if (!domain?.enabled) throw AuthErrors.UNAUTHENTICATED({});
  return domain.id;
}

async function projectId(parts: IdentityParts, ctx: Ctx, ref: ProjectRef): Promise<string> {
  const project = await parts.directory.project(ctx, ref);
  if (!project?.enabled) throw AuthErrors.UNAUTHENTICATED({});
  return project.id;
}

/** The user's default project if it still has a role there, else nothing: that is no error. */
async function defaultScope(parts: IdentityParts, ctx: Ctx, userId: string): Promise<Scope | undefined> {
  const user = await parts.directory.user(ctx, userId);
  if (!user?.defaultProjectId) return undefined;
  const scope: Scope = { kind: "project", projectId: user.defaultProjectId };
  const project = await parts.directory.project(ctx, { id: user.defaultProjectId });
  if (!project?.enabled) return undefined;
  return (await parts.assignments.effective(ctx, userId, scope)).length > 0 ? scope : undefined;
}

interface Grant {
  readonly userId: string;
  readonly scope: Scope | undefined;
  readonly methods: readonly string[];
  readonly credential: ApplicationCredential | undefined;
  readonly earlier: TokenView | undefined;
}

/**
 * Stores the token, then reads it back as any validation would: what cannot be validated is not handed out.
 */
async function issue(parts: IdentityParts, ctx: Ctx, grant: Grant): Promise<IssuedToken> {
  const { earlier } = grant;
  const secret = newSecret();
  const hash = tokenHash(secret);
  const issuedAt = wholeSeconds(parts.clock.now());
  await parts.tokens.insert(ctx, hash, {
    auditId: newAuditId(),
    chainId: earlier ? earlier.record.chainId || earlier.record.auditId : "",
    userId: grant.userId,
    scope: grant.scope,
    methods: grant.methods,
    applicationCredentialId: grant.credential?.id ?? earlier?.record.applicationCredentialId ?? null,
    issuedAt,
    expiresAt:
      earlier?.record.expiresAt ?? endOf(grant, issuedAt + BigInt(parts.config.tokenSeconds) * 1_000_000n),
  });
  const view = await parts.tokens.find(ctx, hash, issuedAt, false);
  if (!view) {
    await parts.tokens.revoke(ctx, hash);
    throw AuthErrors.UNAUTHENTICATED({});
  }
  return { secret, view };
}

/** A token does not outlive the application credential that it was made with. */
const endOf = ({ credential }: Grant, usual: Instant): Instant =>
  credential?.expiresAt && credential.expiresAt < usual ? credential.expiresAt : usual;

/** Keystone's times end in `.000000Z`; some clients compare them as text. */
const wholeSeconds = (at: Instant): Instant => at - (at % 1_000_000n);
