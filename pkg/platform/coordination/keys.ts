/** Every key in the coordination store; nobody writes one that is not built here. */

const ROOT = "/kilonova";

/** One path segment: names may hold anything but must not forge a separator. */
const segment = (text: string): string => encodeURIComponent(text);

export const coordinationKeys = {
  /** One per logical compute host: address, cell, version, driver, epoch (JSON). */
  host: (host: string): string => `${ROOT}/hosts/${segment(host)}`,
  hosts: `${ROOT}/hosts/`,
  /** One per service process: address, version (JSON). */
  service: (service: string, id: string): string => `${ROOT}/services/${segment(service)}/${segment(id)}`,
  services: (service?: string): string =>
    service === undefined ? `${ROOT}/services/` : `${ROOT}/services/${segment(service)}/`,
} as const;

/** The last segment of a key: a host's name, a process's id. */
export const lastSegment = (key: string): string => decodeURIComponent(key.slice(key.lastIndexOf("/") + 1));
