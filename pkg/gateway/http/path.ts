import { GatewayErrors } from "../errors.js";
import { assertStorableText } from "./json.js";
import type { Mount } from "./version-documents.js";

/** Where a request goes. */
export interface Located {
  /** undefined for `/` and for paths under no version. */
  readonly mount: Mount | undefined;
  /** Decoded segments below the mount; `[""]` for a mere slash, `[]` for not even that. */
  readonly segments: readonly string[];
  /** Decoded path with repeated slashes collapsed. */
  readonly path: string;
  /** Undecoded, without `?`. */
  readonly queryText: string;
}

/**
 * Reads a request target. As in OpenStack, the path is decoded before it is cut, and repeated slashes count
 * once. @throws BAD_REQUEST
 */
export function locate(url: string): Located {
  const at = url.indexOf("?");
  const raw = at < 0 ? url : url.slice(0, at);
  const path = decodePath(raw).replace(/\/{2,}/g, "/");
  const [, mount, ...segments] = path.split("/");
  const found = mount === "v2.1" || mount === "v2" ? mount : undefined;
  return { mount: found, segments, path, queryText: at < 0 ? "" : url.slice(at + 1) };
}

function decodePath(raw: string): string {
  let path = raw;
  if (raw.includes("%")) {
    try {
      path = decodeURIComponent(raw.replace(/%(?![0-9a-fA-F]{2})/g, "%25"));
    } catch (cause) {
      throw GatewayErrors.BAD_REQUEST({ message: "The URL path is not UTF-8 encoded" }, { cause });
    }
    assertStorableText(path, "the URL path");
  }
  return path;
}

/** Followed by a token: whoever has that has the console. */
const BEFORE_TOKENS = /os-console-auth-tokens\/(?=.)/s;

/** A path without what is secret in it, undecoded or not; for logs. */
export function withoutSecrets(raw: string): string {
  const found = BEFORE_TOKENS.exec(decodedOr(raw));
  return found === null ? raw : `${found.input.slice(0, found.index)}${found[0]}***`;
}

function decodedOr(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw; // It is refused before it leads anywhere.
  }
}

const PROJECT_ID = /^[0-9a-f-]+$/;

/** Takes the optional project id off the front. No collection's name looks like one. */
export function splitProject(segments: readonly string[]): {
  readonly projectId: string;
  readonly rest: readonly string[];
} {
  const [head = "", ...rest] = segments;
  return rest.length > 0 && PROJECT_ID.test(head)
    ? { projectId: head, rest }
    : { projectId: "", rest: segments };
}
