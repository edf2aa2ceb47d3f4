import type { CatalogService, EndpointInterface } from "./ports.js";

/** Other names of the same service, best first (service-types-authority). */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  volumev3: ["volumev3", "block-storage", "volumev2", "volume", "block-store"],
  "block-storage": ["block-storage", "volumev3", "volumev2", "volume", "block-store"],
};

export interface EndpointWish {
  readonly type: string;
  readonly interface: EndpointInterface;
  /** "" takes the first region. */
  readonly region: string;
}

/** Where a service has no address of the wished interface, these are tried. */
const OTHERS: readonly EndpointInterface[] = ["internal", "public"];

/**
 * Finds a service's address, of the wished interface if there is one; undefined when the catalog has none
 * that fits. Without a trailing slash.
 */
export function findEndpoint(catalog: readonly CatalogService[], wish: EndpointWish): string | undefined {
  for (const name of [wish.interface, ...OTHERS]) {
    const found = findOne(catalog, { ...wish, interface: name });
    if (found !== undefined) return found;
  }
  return undefined;
}

function findOne(catalog: readonly CatalogService[], wish: EndpointWish): string | undefined {
  for (const type of ALIASES[wish.type] ?? [wish.type]) {
    for (const service of catalog) {
      if (service.type !== type) continue;
      const found = service.endpoints.find(
        (one) => one.interface === wish.interface && (wish.region === "" || one.regionId === wish.region),
      );
      if (found) return found.url.replace(/\/+$/, "");
    }
  }
  return undefined;
}
