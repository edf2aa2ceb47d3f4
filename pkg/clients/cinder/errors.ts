import { CommonErrors, defineErrors } from "../../kernel/index.js";
import type { KilonovaError } from "../../kernel/index.js";
import type { HttpAnswer } from "../../platform/http/index.js";

/** What may go wrong between us and the Block Storage service. */
export const CinderErrors = defineErrors("cinder", {
  VOLUME_NOT_FOUND: ["missing", (p: { id: string }) => `Volume ${p.id} could not be found.`],
  SNAPSHOT_NOT_FOUND: ["missing", (p: { id: string }) => `Snapshot ${p.id} could not be found.`],
  VOLUME_ATTACHMENT_NOT_FOUND: [
    "missing",
    (p: { id: string }) => `Volume attachment ${p.id} could not be found.`,
  ],
  NOT_FOUND: ["missing", (p: { id: string }) => `${p.id} could not be found.`],
  VOLUME_INVALID: ["invalid", (p: { problem: string }) => `Invalid input received: ${p.problem} (HTTP 400)`],
  VOLUME_CONFLICT: ["refused", (p: { problem: string }) => p.problem],
  VOLUME_QUOTA: ["quota", (p: { problem: string }) => p.problem, { subject: "volumes" }],
  BLOCK_STORAGE_FORBIDDEN: [
    "forbidden",
    (_p: Record<string, never>) => "The block storage service does not allow this.",
  ],
  TOKEN_REFUSED: [
    "unauthenticated",
    (_p: Record<string, never>) => "The request you have made requires authentication.",
  ],
  BLOCK_STORAGE_UNAVAILABLE: [
    "unavailable",
    (_p: Record<string, never>) => "The Block Storage service is unavailable at this time.",
  ],
  BLOCK_STORAGE_TOO_OLD: [
    "unsupported",
    (p: { version: string }) => `Cinder API version ${p.version} is not available.`,
  ],
  UNEXPECTED_ANSWER: [
    "internal",
    (_p: Record<string, never>) => "The Block Storage service gave an answer that could not be understood.",
  ],
});

/** Makes the error of a thing that is not there. */
export type Missing = (p: { id: string }) => KilonovaError;

/** The error for an answer that is no success. @param missing  what a 404 says is not there */
export function failureOfAnswer(answer: HttpAnswer, id: string, missing: Missing): KilonovaError {
  const problem = messageOf(answer.json);
  const cause = new Error(`status ${answer.status} ${problem}`);
  switch (answer.status) {
    case 400:
      return CinderErrors.VOLUME_INVALID({ problem: problem || "Bad request" }, { cause });
    case 401:
      return CinderErrors.TOKEN_REFUSED({}, { cause });
    case 403:
      return CinderErrors.BLOCK_STORAGE_FORBIDDEN({}, { cause });
    case 404:
      return missing({ id });
    case 406:
      return CinderErrors.BLOCK_STORAGE_TOO_OLD({ version: "3.44" }, { cause });
    case 409:
      return CinderErrors.VOLUME_CONFLICT({ problem: problem || "Conflict" }, { cause });
    case 413:
      return CinderErrors.VOLUME_QUOTA({ problem: problem || "Over limit" }, { cause });
    // Asked too often; nothing was done.
    case 429:
    case 502:
    case 503:
    case 504:
      return CinderErrors.BLOCK_STORAGE_UNAVAILABLE({}, { cause });
    default:
      return CommonErrors.INTERNAL({}, { cause });
  }
}

/** What is told and stored of a refusal is no longer. */
const MOST_CHARACTERS = 1_000;

/** `{"<kind>": {"code", "message"}}`, as the service writes it; "" for anything else. */
function messageOf(json: unknown): string {
  if (typeof json !== "object" || json === null) return "";
  for (const inner of Object.values(json)) {
    if (typeof inner !== "object" || inner === null || !("message" in inner)) continue;
    if (typeof inner.message === "string") return inner.message.slice(0, MOST_CHARACTERS);
  }
  return "";
}
