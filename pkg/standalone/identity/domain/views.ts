import { isoMicros } from "../../../kernel/index.js";
import type { Instant } from "../../../kernel/index.js";
import type { Domain, Json, Project, Role, TokenView, User } from "./model.js";
import type { ServiceView } from "./catalog.js";

/** Keystone's long form: `2026-11-22T12:43:19.000000Z`. */
export const keystoneTime = (at: Instant): string => `${isoMicros(at)}Z`;

/** Made-up attributes lie beside the thing's own, which win. */
const annotated = <T extends { readonly extra: Json }>({ extra, ...own }: T): Json => ({ ...extra, ...own });

export const domainJson = (base: string, domain: Domain): Json => ({
  ...annotated(domain),
  tags: [],
  links: { self: `${base}/v3/domains/${domain.id}` },
});

export const projectJson = (base: string, project: Project): Json => ({
  ...project.extra,
  id: project.id,
  name: project.name,
  domain_id: project.domainId,
  parent_id: project.parentId,
  description: project.description,
  enabled: project.enabled,
  is_domain: false,
  tags: project.tags,
  options: project.options,
  links: { self: `${base}/v3/projects/${project.id}` },
});

export const userJson = (base: string, user: User): Json => ({
  ...user.extra,
  id: user.id,
  name: user.name,
  domain_id: user.domainId,
  enabled: user.enabled,
  description: user.description,
  ...(user.email === null ? {} : { email: user.email }),
  ...(user.defaultProjectId === null ? {} : { default_project_id: user.defaultProjectId }),
  password_expires_at: null,
  options: user.options,
  links: { self: `${base}/v3/users/${user.id}` },
});

export const roleJson = (base: string, role: Role): Json => ({
  ...annotated(role),
  domain_id: null,
  links: { self: `${base}/v3/roles/${role.id}` },
});

/** The body of a token's answer; unscoped ones have neither roles nor catalog. */
export function tokenJson(view: TokenView, catalog: readonly ServiceView[] | undefined): Json {
  const { record, user, project, domain } = view;
  const scope =
    project !== undefined
      ? { project, is_domain: false }
      : domain !== undefined
        ? { domain }
        : record.scope?.kind === "system"
          ? { system: { all: true } }
          : {};
  return {
    token: {
      methods: record.methods,
      expires_at: keystoneTime(record.expiresAt),
      issued_at: keystoneTime(record.issuedAt),
      audit_ids: record.chainId === "" ? [record.auditId] : [record.auditId, record.chainId],
      user: { ...user, password_expires_at: null },
      ...scope,
      ...(record.scope === undefined ? {} : { roles: view.roles }),
      ...(record.scope === undefined || catalog === undefined ? {} : { catalog }),
    },
  };
}

/** Keystone's lists: one page, with links. */
export const listJson = (name: string, items: readonly Json[], self: string): Json => ({
  [name]: items,
  links: { next: null, self, previous: null },
});
