import type { Ctx } from "../kernel/index.js";
import type { Identity } from "./identity/index.js";
import { newId } from "./identity/index.js";

/** Passwords of the users that a fresh cloud starts with. */
export interface SeedPasswords { readonly admin: string; readonly demo: string; readonly nova: string }

/** Ids of what the seed made or found. */
export interface SeededIdentity {
  readonly projects: { readonly admin: string; readonly demo: string; readonly service: string };
  readonly users: { readonly admin: string; readonly demo: string; readonly nova: string };
}

const DOMAIN_ID = "default";
const ROLES = ["admin", "manager", "member", "reader", "service"] as const;
const IMPLIED = [["admin", "manager"], ["manager", "member"], ["member", "reader"]] as const;

/**
 * Makes domain, roles, projects, users and their roles. Repeatable: it only adds what is missing, and never touches a
 * password that somebody changed.
 */
export async function seedIdentity(ctx: Ctx, { parts }: Identity, passwords: SeedPasswords): Promise<SeededIdentity> {
  const { directory, assignments } = parts;
  if (!await directory.domain(ctx, { id: DOMAIN_ID })) {
    await directory.insertDomain(ctx, { id: DOMAIN_ID, name: "Default", enabled: true, description: "The default domain" });
  }
  const roles = new Map((await directory.roles(ctx, {})).map((role) => [role.name, role.id]));
  for (const name of ROLES) {
    if (roles.has(name)) continue;
    const role = { id: newId(), name, description: "" };
    await directory.insertRole(ctx, role);
    roles.set(name, role.id);
  }
  const roleId = (name: string): string => roles.get(name) ?? "";
  for (const [prior, implied] of IMPLIED) await assignments.imply(ctx, roleId(prior), roleId(implied));

  const project = async (name: string): Promise<string> => {
    const found = await directory.project(ctx, { name, domain: { id: DOMAIN_ID } });
    if (found) return found.id;
    const id = newId();
    await directory.insertProject(ctx, { id, name, domainId: DOMAIN_ID, parentId: DOMAIN_ID, enabled: true, description: "", tags: [] });
    return id;
  };
  const user = async (name: keyof SeedPasswords, projectId: string, names: readonly string[]): Promise<string> => {
    const found = await directory.account(ctx, { name, domain: { id: DOMAIN_ID } });
    const id = found?.id ?? newId();
    if (!found) {
      const account = { id, name, domainId: DOMAIN_ID, enabled: true, description: "", email: null, defaultProjectId: projectId };
      await directory.insertUser(ctx, account, await parts.passwords.hash(passwords[name]));
    }
    for (const role of names) await assignments.grant(ctx, { userId: id, roleId: roleId(role), scope: { kind: "project", projectId } });
    return id;
  };
  const projects = { admin: await project("admin"), demo: await project("demo"), service: await project("service") };
  const users = {
    admin: await user("admin", projects.admin, ["admin"]),
    demo: await user("demo", projects.demo, ["member"]),
    nova: await user("nova", projects.service, ["admin", "service"]),
  };
  await assignments.grant(ctx, { userId: users.admin, roleId: roleId("admin"), scope: { kind: "system" } });
  await assignments.grant(ctx, { userId: users.admin, roleId: roleId("admin"), scope: { kind: "project", projectId: projects.demo } });
  return { projects, users };
}
