import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { remainingMs } from "../../kernel/index.js";
import { CREATE_IMAGE_STEP } from "../../model/server-image.js";
import type { Begun } from "../actions/action.js";
import { ApiErrors, ServerImageErrors } from "../errors.js";
import { theOperation } from "../ops/read-operation.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { metadataKey, metadataValue } from "../shape/common.js";
import type { Rule } from "../shape/shape.js";
import { map, text } from "../shape/shape.js";

/** What the Image service takes at most. */
const MAX_PROPERTIES = 128;
/** Kept of the caller's deadline for the answer itself. */
const ANSWER_MS = 500;

const eachProperty = map(metadataKey, metadataValue);

/** Metadata of an image. */
export const imageMetadata: Rule<Map<string, string>> = (value, path, report) => {
  if (value.size > MAX_PROPERTIES) report(path, `must not have more than ${MAX_PROPERTIES} items`);
  eachProperty(value, path, report);
};
export const imageName = text({ min: 1, max: 255 });

/**
 * What images say of themselves beside properties. It is written with the service's rights, which are more
 * than the user's: he must not reach it by calling it a property.
 */
const ATTRIBUTES: ReadonlySet<string> = new Set(
  (
    "id name status visibility protected owner size virtual_size min_disk min_ram disk_format " +
    "container_format checksum os_hash_algo os_hash_value os_hidden tags created_at updated_at deleted " +
    "deleted_at self file schema locations direct_url stores is_public members"
  ).split(" "),
);

/** @throws INVALID_REQUEST */
export function requireProperties(metadata: ReadonlyMap<string, string>): void {
  for (const name of metadata.keys())
    if (ATTRIBUTES.has(name) || name.startsWith("os_glance"))
      throw ApiErrors.INVALID_REQUEST({
        field: `metadata["${name}"]`,
        problem: "is an attribute of images, not a property",
      });
}

/**
 * The id of an operation's image, once the Image service has it: callers look it up at once. When that takes
 * too long, the answer comes without; the operation goes on.
 * @throws what the Image service said against the image: IMAGE_QUOTA, IMAGE_INVALID, IMAGE_FORBIDDEN
 */
export async function madeImage(
  ctx: Call,
  { operation }: Pick<Begun, "operation">,
  parts: Parts,
): Promise<{ readonly imageId: string }> {
  const imageId = imageIdOf(operation);
  const endMs =
    parts.clock.monotonicMs() + Math.min(parts.config.imageWaitMs, Math.max(0, remainingMs(ctx) - ANSWER_MS));
  const news = parts.signals.subscribe(operation.name);
  try {
    for (let now = operation; ; { operation: now } = await theOperation(parts)(ctx, operation)) {
      if (isMade(now)) return { imageId };
      if (now.done) return refusalOf(now) ?? { imageId };
      const leftMs = endMs - parts.clock.monotonicMs();
      if (leftMs <= 0) return { imageId };
      await news.next(leftMs, ctx.signal);
    }
  } finally {
    news.close();
  }
}

function imageIdOf({ metadata }: Operation): string {
  const asked = metadata?.asked;
  return asked?.$case === "createServerImage" || asked?.$case === "createServerBackup"
    ? asked.value.imageId
    : "";
}

const isMade = ({ steps }: Operation): boolean =>
  steps.some(({ name, finishedAt, result }) =>
    name === CREATE_IMAGE_STEP ? finishedAt !== undefined && result === "success" : false,
  );

/** An operation that ended otherwise, such as by a cancellation, was accepted all the same. */
function refusalOf({ error }: Operation): undefined {
  const why = error?.message ?? "";
  switch (error?.reason) {
    case "IMAGE_QUOTA":
      throw ServerImageErrors.IMAGE_QUOTA({});
    case "IMAGE_INVALID":
      throw ServerImageErrors.IMAGE_INVALID({ why });
    case "IMAGE_FORBIDDEN":
      throw ServerImageErrors.IMAGE_FORBIDDEN({ why });
    default:
      return undefined;
  }
}
