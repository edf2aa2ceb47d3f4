import type { Migration } from "../../platform/db/index.js";
import { identity } from "./0001-identity.js";
import { image } from "./0002-image.js";
import { network } from "./0003-network.js";
import { routerRoutes } from "./0004-router-routes.js";
import { identityAttributes } from "./0005-identity-attributes.js";
import { imageIds } from "./0006-image-ids.js";
import { volume } from "./0007-volume.js";

/** The history of schema `standalone`. */
export const standaloneMigrations: readonly Migration[] = [
  identity,
  image,
  network,
  routerRoutes,
  identityAttributes,
  imageIds,
  volume,
];
