import type { z } from "zod";
import { cinderClient } from "../../pkg/clients/cinder/index.js";
import type { Cinder } from "../../pkg/clients/cinder/ports.js";
import { glanceClient } from "../../pkg/clients/glance/index.js";
import type { Glance } from "../../pkg/clients/glance/ports.js";
import { keystoneClient } from "../../pkg/clients/keystone/index.js";
import type { Keystone } from "../../pkg/clients/keystone/index.js";
import { neutronClient } from "../../pkg/clients/neutron/index.js";
import type { Neutron } from "../../pkg/clients/neutron/ports.js";
import { systemClock } from "../../pkg/platform/process/index.js";
import type { identityConfig } from "./sections.js";

/** The HTTP clients with our service user's rights; they find the services in the catalog. */
export function openStackClients(identity: z.output<typeof identityConfig>): {
  readonly keystone: Keystone;
  readonly glance: Glance;
  readonly neutron: Neutron;
  readonly cinder: Cinder;
} {
  const { username, password, userDomainName, projectName, projectDomainName } = identity;
  const keystone = keystoneClient({
    authUrl: identity.authUrl,
    region: identity.region,
    interface: identity.interface,
    belief: { revalidateMs: identity.tokenRevalidateMs, graceMs: identity.tokenGraceMs },
    clock: systemClock,
    random: Math.random,
    credentials: { username, userDomainName, password, projectName, projectDomainName },
  });
  const common = { session: keystone.session, clock: systemClock, random: Math.random };
  return {
    keystone,
    glance: glanceClient(common),
    neutron: neutronClient(common),
    cinder: cinderClient(common),
  };
}
