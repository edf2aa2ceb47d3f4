/** One service of the cloud, as configured. URLs may hold `%(project_id)s`. */
export interface ServiceConfig {
  readonly type: string;
  readonly name: string;
  readonly description?: string;
  readonly publicUrl: string;
  /** Default: as `publicUrl`. */
  readonly internalUrl?: string;
  readonly adminUrl?: string;
}

export interface EndpointView {
  readonly id: string;
  readonly interface: string;
  readonly region: string;
  readonly region_id: string;
  readonly url: string;
}
export interface ServiceView {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly endpoints: readonly EndpointView[];
}

/** Gives things of the configuration an id that stays the same from start to start. */
export type StableId = (text: string) => string;

const PROJECT_PLACEHOLDER = /[%$]\((?:project_id|tenant_id)\)s/g;

/**
 * The catalog for one scope.
 * @param projectId  undefined leaves out endpoints whose URL needs a project, as Keystone does
 */
export function catalogFor(
  services: readonly ServiceConfig[],
  region: string,
  projectId: string | undefined,
  idOf: StableId,
): ServiceView[] {
  return services.map((service) => ({
    id: idOf(`service/${service.type}`),
    type: service.type,
    name: service.name,
    endpoints: endpointsOf(service).flatMap(([name, template]) => {
      const needsProject = template.search(PROJECT_PLACEHOLDER) >= 0;
      if (needsProject && projectId === undefined) return [];
      return [
        {
          id: idOf(`endpoint/${service.type}/${name}`),
          interface: name,
          region,
          region_id: region,
          url: template.replaceAll(PROJECT_PLACEHOLDER, projectId ?? ""),
        },
      ];
    }),
  }));
}

/** The three interfaces of a service with their URL templates. */
export const endpointsOf = (service: ServiceConfig): readonly (readonly [name: string, url: string])[] => [
  ["public", service.publicUrl],
  ["internal", service.internalUrl ?? service.publicUrl],
  ["admin", service.adminUrl ?? service.publicUrl],
];
