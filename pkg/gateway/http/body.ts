import type { IncomingMessage } from "node:http";
import { GatewayErrors } from "../errors.js";

/** @throws BODY_TOO_LARGE when the request announces more than `limitBytes` */
export function assertAnnouncedSize(req: IncomingMessage, limitBytes: number): void {
  const bytes = Number(req.headers["content-length"] ?? 0);
  if (bytes > limitBytes) throw GatewayErrors.BODY_TOO_LARGE({ bytes, limitBytes });
}

/**
 * Reads the whole body. @throws BODY_TOO_LARGE as soon as more than `limitBytes` came; MALFORMED_BODY when
 * the client goes away
 */
export async function readBody(req: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > limitBytes) break;
      parts.push(part);
    }
  } catch (cause) {
    throw GatewayErrors.MALFORMED_BODY({}, { cause });
  }
  if (size > limitBytes) throw GatewayErrors.BODY_TOO_LARGE({ bytes: size, limitBytes });
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, size);
}

const SUPPORTED = new Set(["application/json", "application/vnd.openstack.compute+json", "text/plain"]);

/** @throws CONTENT_TYPE_UNSUPPORTED */
export function assertContentType(header: string | undefined): void {
  const type = header?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type !== "" && !SUPPORTED.has(type)) throw GatewayErrors.CONTENT_TYPE_UNSUPPORTED({});
}
