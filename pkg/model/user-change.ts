import type { Server } from "../../gen/kilonova/cells/v1/server.js";

/** For each path its fields: one, or also the one that tells an empty value from none. */
const fields = {
  name: ["name"],
  description: ["description", "hasDescription"],
  hostname: ["hostname"],
  access_ip_v4: ["accessIpV4"],
  access_ip_v6: ["accessIpV6"],
  disk_config: ["diskConfig"],
  pinned_availability_zone: ["pinnedAvailabilityZone"],
} as const satisfies Readonly<Record<string, readonly (keyof Server)[]>>;

/** What a user may change of a server at once, as update masks name it: for `gateway`, `api` and `cells`. */
export type UserPath = keyof typeof fields;

export const USER_PATHS = Object.keys(fields) as readonly UserPath[];

/** The fields that a path of a mask stands for; undefined when users may not change it. */
export const fieldsOfUserPath = (path: string): readonly (keyof Server)[] | undefined =>
  Object.hasOwn(fields, path) ? fields[path as UserPath] : undefined;
