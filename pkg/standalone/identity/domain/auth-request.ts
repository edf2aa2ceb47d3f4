import { z } from "zod";
import type { AuthRequest, DomainRef, Proof, ProjectRef, UserRef, WantedScope } from "./model.js";

const text = z.string().max(255);
const byIdOrName = z.union([z.object({ id: text }), z.object({ name: text })]);
const inDomain = z.union([z.object({ id: text }), z.object({ name: text, domain: byIdOrName })]);
const password = z.string().max(4_096);

const scopeSchema = z.union([
  z.literal("unscoped"),
  z.object({ project: inDomain }),
  z.object({ domain: byIdOrName }),
  z.object({ system: z.object({ all: z.literal(true) }) }),
  z.object({ unscoped: z.object({}) }),
]);

/** The body of `POST /v3/auth/tokens`. Only the sections of the named methods are looked at. */
const authBody = z.object({
  auth: z.object({
    identity: z.object({
      methods: z.array(z.string().max(64)).min(1).max(8),
      password: z.unknown().optional(),
      token: z.unknown().optional(),
      application_credential: z.unknown().optional(),
    }),
    scope: scopeSchema.optional(),
  }),
});

const passwordSection = z.object({
  user: z.union([z.object({ id: text, password }), z.object({ name: text, domain: byIdOrName, password })]),
});
const tokenSection = z.object({ id: z.string().min(1).max(4_096) });
const credentialSection = z.union([
  z.object({ id: text, secret: password }),
  z.object({ name: text, user: inDomain, secret: password }),
]);

/**
 * What is wrong with an authentication: the body's shape (400), or a method that does not exist here (401).
 */
export type AuthRequestProblem = { readonly problem: string } | { readonly unknownMethod: string };

/** Reads an authentication body. Pure; the same method named twice counts once. */
export function readAuthRequest(body: unknown): AuthRequest | AuthRequestProblem {
  const parsed = authBody.safeParse(body);
  if (!parsed.success) return { problem: describe(parsed.error) };
  const { identity, scope } = parsed.data.auth;
  const proofs: Proof[] = [];
  for (const method of new Set(identity.methods)) {
    const proof = readProof(method, identity);
    if ("problem" in proof || "unknownMethod" in proof) return proof;
    proofs.push(proof);
  }
  return { proofs, scope: readScope(scope) };
}

type Sections = z.output<typeof authBody>["auth"]["identity"];

function readProof(method: string, sections: Sections): Proof | AuthRequestProblem {
  switch (method) {
    case "password": {
      const read = passwordSection.safeParse(sections.password);
      return read.success
        ? { method, user: userRef(read.data.user), password: read.data.user.password }
        : bad(method, read.error);
    }
    case "token": {
      const read = tokenSection.safeParse(sections.token);
      return read.success ? { method, token: read.data.id } : bad(method, read.error);
    }
    case "application_credential": {
      const read = credentialSection.safeParse(sections.application_credential);
      if (!read.success) return bad(method, read.error);
      const { data } = read;
      return {
        method,
        secret: data.secret,
        credential: "id" in data ? { id: data.id } : { name: data.name, user: userRef(data.user) },
      };
    }
    default:
      return { unknownMethod: method };
  }
}

const bad = (section: string, error: z.ZodError): AuthRequestProblem => ({
  problem: `auth.identity.${section}: ${describe(error)}`,
});

function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue ? `${issue.path.map(String).join(".") || "body"}: ${issue.message}` : "malformed body";
}

function userRef(user: { id: string } | { name: string; domain: DomainRef }): UserRef {
  return "id" in user ? { id: user.id } : { name: user.name, domain: user.domain };
}

function readScope(scope: z.output<typeof scopeSchema> | undefined): WantedScope {
  if (scope === undefined) return { kind: "default" };
  if (scope === "unscoped" || "unscoped" in scope) return { kind: "unscoped" };
  if ("project" in scope) return { kind: "project", project: scope.project satisfies ProjectRef };
  if ("domain" in scope) return { kind: "domain", domain: scope.domain };
  return { kind: "system" };
}
