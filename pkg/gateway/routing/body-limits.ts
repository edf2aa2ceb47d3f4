import { standsFor } from "./aliases.js";

/** What a request has that says little: names, ids, a key, a list of tags. */
const USUAL_BYTES = 32 * 1024;

/** Routes whose bodies hold what users write at length: user data, files, metadata, descriptions, keys. */
const LONG = new Set([
  "POST /flavors",
  "PUT /flavors/{id}",
  "POST /os-keypairs",
  "POST /servers",
  "POST /servers/{id}/action#createBackup",
  "POST /servers/{id}/action#createImage",
  "POST /servers/{id}/action#rebuild",
  "POST /servers/{id}/metadata",
  "PUT /servers/{id}/metadata",
  "POST /os-server-external-events",
]);

/**
 * Most bytes of a route's body: nobody makes the gateway parse more than the route can mean. Routes for what
 * is long take what `gateway.maxBodyBytes` says (Nova's default: 114,688).
 */
export const bodyLimitOf = (routeKey: string): number =>
  LONG.has(standsFor(routeKey)) ? Infinity : USUAL_BYTES;
