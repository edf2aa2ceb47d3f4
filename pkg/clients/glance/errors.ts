import { CommonErrors, defineErrors } from "../../kernel/index.js";
import type { KilonovaError } from "../../kernel/index.js";
import type { HttpAnswer } from "../../platform/http/index.js";

/** What may go wrong between us and the Image service. */
export const GlanceErrors = defineErrors("glance", {
  IMAGE_NOT_FOUND: ["missing", (p: { id: string }) => `Image ${p.id} could not be found.`],
  IMAGE_FORBIDDEN: ["forbidden", (p: { id: string }) => `Not authorized for image ${p.id}.`],
  IMAGE_EXISTS: ["exists", (p: { id: string }) => `An image with id ${p.id} already exists.`],
  IMAGE_CONFLICT: ["refused", (p: { id: string }) => `Image ${p.id} is in a state that does not allow this.`],
  IMAGE_QUOTA: [
    "quota",
    (_p: Record<string, never>) => "The image service's limits do not allow this image.",
    { subject: "images" },
  ],
  IMAGE_INVALID: [
    "invalid",
    (p: { problem: string }) => `The image service refused the request: ${p.problem}`,
  ],
  IMAGE_NO_DATA: ["refused", (p: { id: string }) => `Image ${p.id} has no data.`],
  IMAGE_CORRUPT: ["internal", (p: { id: string }) => `The data of image ${p.id} does not match its hash.`],
  TOKEN_REFUSED: [
    "unauthenticated",
    (_p: Record<string, never>) => "The request you have made requires authentication.",
  ],
  IMAGE_UNAVAILABLE: [
    "unavailable",
    (_p: Record<string, never>) => "The Image service is unavailable at this time.",
  ],
  UNEXPECTED_ANSWER: [
    "internal",
    (_p: Record<string, never>) => "The Image service gave an answer that could not be understood.",
  ],
});

/**
 * The error for an answer that is no success. Bodies are HTML in some versions, so only our own text is
 * shown.
 */
export function failureOfAnswer(
  answer: Pick<HttpAnswer, "status"> & { readonly json?: unknown },
  id: string,
): KilonovaError {
  const cause = new Error(`status ${answer.status}`);
  switch (answer.status) {
    case 400:
      return GlanceErrors.IMAGE_INVALID({ problem: messageOf(answer.json) ?? "bad request" }, { cause });
    case 401:
      return GlanceErrors.TOKEN_REFUSED({}, { cause });
    case 403:
      return GlanceErrors.IMAGE_FORBIDDEN({ id }, { cause });
    case 404:
    case 410:
      return GlanceErrors.IMAGE_NOT_FOUND({ id }, { cause });
    case 409:
      return GlanceErrors.IMAGE_CONFLICT({ id }, { cause });
    case 413:
      return GlanceErrors.IMAGE_QUOTA({}, { cause });
    case 502:
    case 503:
    case 504:
      return GlanceErrors.IMAGE_UNAVAILABLE({}, { cause });
    default:
      return CommonErrors.INTERNAL({}, { cause });
  }
}

function messageOf(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null || !("error" in json)) return undefined;
  const { error } = json;
  return typeof error === "object" &&
    error !== null &&
    "message" in error &&
    typeof error.message === "string"
    ? error.message
    : undefined;
}
