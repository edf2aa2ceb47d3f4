import { MAX_VERSION, MIN_VERSION, versionText } from "../microversion/version.js";
import type { JsonObject } from "./json.js";

export type Mount = "v2" | "v2.1";

interface VersionFacts {
  readonly id: string;
  readonly status: string;
  readonly version: string;
  readonly min_version: string;
  readonly updated: string;
}

const facts: Readonly<Record<Mount, VersionFacts>> = {
  v2: { id: "v2.0", status: "DEPRECATED", version: "", min_version: "", updated: "2025-07-04T12:00:00Z" },
  "v2.1": {
    id: "v2.1",
    status: "CURRENT",
    version: versionText(MAX_VERSION),
    min_version: versionText(MIN_VERSION),
    updated: "2013-07-23T11:33:21Z",
  },
};

const mounts: readonly Mount[] = ["v2", "v2.1"];
const selfLink = (base: string, mount: Mount, path = ""): JsonObject => ({
  rel: "self",
  href: `${base}/${mount}/${path}`,
});
const mediaTypes = (mount: Mount): JsonObject[] => [
  { base: "application/json", type: `application/vnd.openstack.compute+json;version=${mount.slice(1)}` },
];

/** `GET /`: both versions in short. */
export const versionList = (base: string): JsonObject => ({
  versions: mounts.map((mount) => ({ ...facts[mount], links: [selfLink(base, mount)] })),
});

/** The document of one version. */
export const versionDocument = (base: string, mount: Mount): JsonObject => ({
  version: {
    ...facts[mount],
    links: [
      selfLink(base, mount),
      { rel: "describedby", type: "text/html", href: "http://docs.openstack.org/" },
    ],
    "media-types": mediaTypes(mount),
  },
});

/** The mount of a version's id, for `/versions/{id}`. */
export const mountOfId = (id: string): Mount | undefined => mounts.find((mount) => facts[mount].id === id);

/** 300 for paths of no version: where else to look. @param path  as asked, without the slash in front */
export const versionChoices = (base: string, path: string): JsonObject => ({
  choices: mounts.map((mount) => ({
    id: facts[mount].id,
    status: facts[mount].status,
    links: [selfLink(base, mount, path)],
    "media-types": mediaTypes(mount),
  })),
});
