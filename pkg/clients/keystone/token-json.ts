import { z } from "zod";
import { parseIso } from "../../kernel/index.js";
import { KeystoneErrors } from "./errors.js";
import type { CatalogService, EndpointInterface, TokenInfo } from "./ports.js";

const named = z.object({ id: z.string(), name: z.string() });
const inDomain = z.object({
  id: z.string(),
  name: z.string(),
  domain: z.object({ id: z.string(), name: z.string().nullish() }).nullish(),
});
const tokenBody = z.object({
  token: z.object({
    methods: z.array(z.string()).default([]),
    issued_at: z.string(),
    expires_at: z.string(),
    user: inDomain,
    project: inDomain.nullish(),
    domain: named.nullish(),
    system: z.object({ all: z.boolean().optional() }).nullish(),
    roles: z.array(z.object({ name: z.string() })).default([]),
    catalog: z
      .array(
        z.object({
          type: z.string(),
          name: z.string().nullish(),
          endpoints: z
            .array(
              z.object({
                interface: z.string(),
                region_id: z.string().nullish(),
                region: z.string().nullish(),
                url: z.string(),
              }),
            )
            .default([]),
        }),
      )
      .default([]),
  }),
});

/** Reads the body of a token. @throws UNEXPECTED_ANSWER */
export function readToken(body: unknown): TokenInfo {
  const parsed = tokenBody.safeParse(body);
  if (!parsed.success) throw KeystoneErrors.UNEXPECTED_ANSWER({}, { cause: parsed.error });
  const { token } = parsed.data;
  const issuedAt = parseIso(token.issued_at);
  const expiresAt = parseIso(token.expires_at);
  if (issuedAt === undefined || expiresAt === undefined) throw KeystoneErrors.UNEXPECTED_ANSWER({});
  const { user, project, domain } = token;
  return {
    actor: {
      kind: "user",
      userId: user.id,
      projectId: project?.id ?? "",
      domainId: domain?.id ?? project?.domain?.id ?? user.domain?.id ?? "",
      // A role in a domain is a right over users and projects, nowhere else: nobody administers a cloud by
      // it.
      roles: project || token.system?.all === true ? token.roles.map((role) => role.name) : [],
      systemScope: token.system?.all === true,
      service: "",
      host: "",
    },
    userName: user.name,
    userDomainId: user.domain?.id ?? "",
    userDomainName: user.domain?.name ?? "",
    projectName: project?.name ?? "",
    projectDomainId: project?.domain?.id ?? "",
    projectDomainName: project?.domain?.name ?? "",
    domainName: domain?.name ?? "",
    methods: token.methods,
    issuedAt,
    expiresAt,
    catalog: token.catalog.map(readService),
  };
}

/** Some catalogs still write `publicURL` and its kin. */
const INTERFACES: readonly EndpointInterface[] = ["public", "internal", "admin"];

function readService(service: z.output<typeof tokenBody>["token"]["catalog"][number]): CatalogService {
  return {
    type: service.type,
    name: service.name ?? "",
    endpoints: service.endpoints.flatMap((endpoint) => {
      const name = INTERFACES.find((one) => one === endpoint.interface.replace(/URL$/, ""));
      return name === undefined
        ? []
        : [{ interface: name, regionId: endpoint.region_id ?? endpoint.region ?? "", url: endpoint.url }];
    }),
  };
}
