import type { Ctx } from "../kernel/index.js";
import type { Identity } from "./identity/index.js";
import { newId } from "./identity/index.js";
import type { ImageService, SeedImage } from "./image/index.js";
import { seedImage } from "./image/index.js";
import type { NetworkService } from "./network/index.js";
import { seedNetwork } from "./network/index.js";

/** Passwords of the users that a fresh cloud starts with. */
export interface SeedPasswords {
  readonly admin: string;
  readonly demo: string;
  readonly nova: string;
}

/** Ids of what the seed made or found. */
export interface SeededIdentity {
  readonly projects: { readonly admin: string; readonly demo: string; readonly service: string };
  readonly users: { readonly admin: string; readonly demo: string; readonly nova: string };
}

const DOMAIN_ID = "default";
const unannotated = { options: {}, extra: {} };
const ROLES = ["admin", "manager", "member", "reader", "service"] as const;
const IMPLIED = [
  ["admin", "manager"],
  ["manager", "member"],
  ["member", "reader"],
] as const;

/**
 * Makes domain, roles, projects, users and their roles. Repeatable: it only adds what is missing, and never
 * touches a password that somebody changed. When all is there it costs three queries.
 */
async function seedIdentity(ctx: Ctx, identity: Identity, passwords: SeedPasswords): Promise<SeededIdentity> {
  return (await seeded(ctx, identity)) ?? makeMissing(ctx, identity, passwords);
}

const GRANTS = 6;

/** What is there, if it is complete. */
async function seeded(
  ctx: Ctx,
  { parts: { directory, assignments } }: Identity,
): Promise<SeededIdentity | undefined> {
  const projects = new Map(
    (await directory.projects(ctx, { domainId: DOMAIN_ID })).map((one) => [one.name, one.id]),
  );
  const users = new Map(
    (await directory.users(ctx, { domainId: DOMAIN_ID })).map((one) => [one.name, one.id]),
  );
  const found = {
    projects: { admin: projects.get("admin"), demo: projects.get("demo"), service: projects.get("service") },
    users: { admin: users.get("admin"), demo: users.get("demo"), nova: users.get("nova") },
  };
  if (!isComplete(found)) return undefined;
  const ids: readonly string[] = Object.values(found.users);
  const grants = (await assignments.list(ctx, {})).filter((one) => ids.includes(one.userId));
  return grants.length >= GRANTS ? found : undefined;
}

type Partly<T> = { readonly [K in keyof T]: { readonly [N in keyof T[K]]: T[K][N] | undefined } };
const isComplete = (found: Partly<SeededIdentity>): found is SeededIdentity =>
  [...Object.values(found.projects), ...Object.values(found.users)].every((id) => id !== undefined);

async function makeMissing(ctx: Ctx, { parts }: Identity, passwords: SeedPasswords): Promise<SeededIdentity> {
  const { directory, assignments } = parts;
  if (!(await directory.domain(ctx, { id: DOMAIN_ID }))) {
    await directory.insertDomain(ctx, {
      id: DOMAIN_ID,
      name: "Default",
      enabled: true,
      description: "The default domain",
      ...unannotated,
    });
  }
  const roles = new Map((await directory.roles(ctx, {})).map((role) => [role.name, role.id]));
  for (const name of ROLES) {
    if (roles.has(name)) continue;
    const role = { id: newId(), name, description: "", ...unannotated };
    await directory.insertRole(ctx, role);
    roles.set(name, role.id);
  }
  const roleId = (name: string): string => roles.get(name) ?? "";
  for (const [prior, implied] of IMPLIED) await assignments.imply(ctx, roleId(prior), roleId(implied));

  const project = async (name: string): Promise<string> => {
    const found = await directory.project(ctx, { name, domain: { id: DOMAIN_ID } });
    if (found) return found.id;
    const id = newId();
    await directory.insertProject(ctx, {
      id,
      name,
      domainId: DOMAIN_ID,
      parentId: DOMAIN_ID,
      enabled: true,
      description: "",
      tags: [],
      ...unannotated,
    });
    return id;
  };
  const user = async (
    name: keyof SeedPasswords,
    projectId: string,
    names: readonly string[],
  ): Promise<string> => {
    const found = await directory.account(ctx, { name, domain: { id: DOMAIN_ID } });
    const id = found?.id ?? newId();
    if (!found) {
      const account = {
        id,
        name,
        domainId: DOMAIN_ID,
        enabled: true,
        description: "",
        email: null,
        defaultProjectId: projectId,
        ...unannotated,
      };
      await directory.insertUser(ctx, account, await parts.passwords.hash(passwords[name]));
    }
    for (const role of names)
      await assignments.grant(ctx, {
        userId: id,
        roleId: roleId(role),
        scope: { kind: "project", projectId },
      });
    return id;
  };
  const projects = {
    admin: await project("admin"),
    demo: await project("demo"),
    service: await project("service"),
  };
  const users = {
    admin: await user("admin", projects.admin, ["admin"]),
    demo: await user("demo", projects.demo, ["member"]),
    nova: await user("nova", projects.service, ["admin", "service"]),
  };
  await assignments.grant(ctx, { userId: users.admin, roleId: roleId("admin"), scope: { kind: "system" } });
  await assignments.grant(ctx, {
    userId: users.admin,
    roleId: roleId("admin"),
    scope: { kind: "project", projectId: projects.demo },
  });
  return { projects, users };
}

/** What a fresh cloud starts with, besides its users. */
export interface StandaloneSeed {
  readonly passwords: SeedPasswords;
  /** Range of the shared network `private`. Default 192.168.233.0/24. */
  readonly privateCidr?: string;
  /** Given to guests by DHCP. Default: none. */
  readonly dnsNameservers?: readonly string[];
  /** Public images, from files. They belong to project admin. */
  readonly images?: readonly Omit<SeedImage, "projectId">[];
}

export interface Seeded extends SeededIdentity {
  readonly networkId: string;
  /** In the order of the wishes. */
  readonly imageIds: readonly string[];
}

/**
 * Brings a cloud to its starting state: users, the shared network `private`, default security groups, images.
 * Repeatable, and a few milliseconds when there is nothing to do.
 */
export async function seedStandalone(
  ctx: Ctx,
  services: { readonly identity: Identity; readonly image: ImageService; readonly network: NetworkService },
  seed: StandaloneSeed,
): Promise<Seeded> {
  const made = await seedIdentity(ctx, services.identity, seed.passwords);
  const networkId = await seedNetwork(
    services.network.parts,
    ctx,
    {
      name: "private",
      projectId: made.projects.admin,
      cidr: seed.privateCidr ?? "192.168.233.0/24",
      dnsNameservers: seed.dnsNameservers ?? [],
    },
    [made.projects.admin, made.projects.demo],
  );
  const imageIds: string[] = [];
  for (const image of seed.images ?? [])
    imageIds.push(await seedImage(services.image.parts, ctx, { ...image, projectId: made.projects.admin }));
  return { ...made, networkId, imageIds };
}
