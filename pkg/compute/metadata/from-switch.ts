import type { Ctx } from "../../kernel/index.js";
import type { MetadataHandler } from "../switch/index.js";
import type { MetadataService } from "./service.js";

/**
 * Metadata for guests on this host's switch: the port by which a request came says whose it is, its headers
 * say nothing.
 */
export function switchMetadataHandler(service: MetadataService, newCtx: () => Ctx): MetadataHandler {
  return ({ instanceUuid, method, path, body }) =>
    service.answer(newCtx(), { instanceUuid, method, path, body });
}
