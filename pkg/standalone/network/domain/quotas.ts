/** What is counted, with Neutron's default limits; -1 is unlimited. */
export const quotaDefaults = {
  network: 100,
  subnet: 100,
  subnetpool: -1,
  port: 500,
  router: 10,
  floatingip: 50,
  security_group: 10,
  security_group_rule: 100,
  rbac_policy: 10,
} as const;

export type QuotaResource = keyof typeof quotaDefaults;
export type QuotaLimits = Readonly<Record<QuotaResource, number>>;

export const quotaResources = Object.keys(quotaDefaults) as QuotaResource[];
