import { z } from "zod";
import type { CreateImageInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { SnapshotGuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import snapshotGuest from "../../compute/commands/snapshot-guest.js";
import uploadSnapshot from "../../compute/commands/upload-snapshot.js";
import type { ImageInfo } from "../../clients/glance/ports.js";
import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError, isRetryable } from "../../kernel/errors.js";
import { TaskState } from "../../model/instance-states.js";
import { CREATE_IMAGE_STEP } from "../../model/server-image.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { hostOf } from "./host-of.js";

/** Whatever kind makes it, an image is made of this. */
type ImageOf<I> = (input: I) => CreateImageInput;

const GIB = 1024n ** 3n;

/** What the host's copy is. */
const theCopy = outputOf(
  "snapshot-disk",
  z.object({
    diskFormat: z.string(),
    sizeBytes: z.coerce.bigint(),
    virtualSizeBytes: z.coerce.bigint(),
  }),
);

/**
 * The steps from a server to its image: the image is made, empty; the host copies the disk; the image is told
 * what it will get; the host gives it the data. Undone, neither image nor copy is left.
 * @param shown  task states, and the name of the copy in the timeline
 */
export const snapshotImage = <I>(
  ports: Ports,
  imageOf: ImageOf<I>,
  shown: Shown,
): [Step<I>, Step<I>, Step<I>, Step<I>] => [
  createImage(ports, imageOf),
  snapshotDisk(ports, imageOf, shown),
  describeImage(ports, imageOf, shown.describing ?? TaskState.imagePendingUpload),
  uploadImage(ports, imageOf, shown.uploading ?? TaskState.imageUploading),
];

interface Shown {
  /** While the disk is copied; absent: what was shown before. */
  readonly copying?: string;
  readonly describing?: string;
  readonly uploading?: string;
  readonly event: string;
}

/**
 * Makes the image, empty, with all that is known of it by now. The Image service cannot be fenced: whoever
 * takes over waits for the end of it.
 */
export const createImage = <I>({ images }: Pick<Ports, "images">, imageOf: ImageOf<I>): Step<I> => ({
  name: CREATE_IMAGE_STEP,
  event: "conductor_create_image",
  unfenced: true,
  timeoutMs: 600_000,
  async run(call) {
    const image = imageOf(call.input);
    await ensureImage(call.ctx, images, image);
    if (image.memberProjectId !== "") await images.addMember(call.ctx, image.imageId, image.memberProjectId);
    return done({ imageId: image.imageId });
  },
  async undo(call) {
    await takeBackImage(call.ctx, images, imageOf(call.input));
    return undefined;
  },
});

/**
 * @throws IMAGE_QUOTA, IMAGE_INVALID, IMAGE_FORBIDDEN; IMAGE_NOT_FOUND when its owner has deleted it already
 */
async function ensureImage(ctx: Ctx, images: Ports["images"], image: CreateImageInput): Promise<ImageInfo> {
  try {
    return await images.createImage(ctx, {
      id: image.imageId,
      name: image.name,
      owner: image.owner,
      visibility: image.memberProjectId === "" ? "private" : "shared",
      minDiskGib: image.minDiskGib,
      minRamMib: image.minMemoryMib,
      properties: Object.fromEntries(image.properties),
    });
  } catch (error) {
    if (!(error instanceof KilonovaError) || error.reason !== "IMAGE_EXISTS") throw error;
    return images.getImage(ctx, image.imageId);
  }
}

/**
 * Removes an image, also one that somebody has protected meanwhile: what was never finished is nobody's to
 * keep. Repeatable. It is made first if it is not there: a creation by a conductor that was overtaken may
 * still be on its way, and the Image service gives no id twice, also not that of a deleted image.
 */
export async function takeBackImage(
  ctx: Ctx,
  images: Ports["images"],
  image: CreateImageInput,
): Promise<void> {
  const { imageId } = image;
  try {
    await ensureImage(ctx, images, image);
  } catch (error) {
    // Refused, or deleted before.
    if (!(error instanceof KilonovaError) || isRetryable(error)) throw error;
  }
  try {
    await images.deleteImage(ctx, imageId);
  } catch (error) {
    if (!(error instanceof KilonovaError) || error.reason !== "IMAGE_FORBIDDEN") throw error;
    await images.updateImage(ctx, imageId, [{ op: "set", name: "protected", value: false }]);
    await images.deleteImage(ctx, imageId);
  }
}

const snapshotDisk = <I>(ports: Ports, imageOf: ImageOf<I>, { copying, event }: Shown): Step<I> => ({
  ...agentStep<I, Parameters<typeof snapshotGuest.run>[1], SnapshotGuestOutput, "disk_copy">(ports, {
    name: theCopy.step,
    event,
    ...(copying === undefined ? {} : { taskState: copying }),
    timeoutMs: 4 * 3_600_000,
    command: snapshotGuest,
    host: hostOf,
    input: ({ input }) => ({ snapshotId: imageOf(input).imageId, quiesce: imageOf(input).quiesce }),
    done: (call, copy, host) => done(copy, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  }),
  needs: "snapshot",
});

/** Says what only the host knew; the Image service takes no data before. */
const describeImage = <I>(
  { images }: Pick<Ports, "images">,
  imageOf: ImageOf<I>,
  taskState: string,
): Step<I> => ({
  name: "describe-image",
  event: "",
  taskState,
  timeoutMs: 600_000,
  async run({ ctx, input, outputs }) {
    const { imageId, minDiskGib } = imageOf(input);
    const { diskFormat, virtualSizeBytes } = outputs.get(theCopy);
    const holdsGib = Number((virtualSizeBytes + GIB - 1n) / GIB);
    await images.updateImage(ctx, imageId, [
      { op: "set", name: "disk_format", value: diskFormat },
      { op: "set", name: "container_format", value: "bare" },
      ...(holdsGib > minDiskGib ? [{ op: "set" as const, name: "min_disk", value: holdsGib }] : []),
    ]);
    return done();
  },
});

const uploadImage = <I>(ports: Ports, imageOf: ImageOf<I>, taskState: string): Step<I> => ({
  ...agentStep<I, Parameters<typeof uploadSnapshot.run>[1], object, "image_upload">(ports, {
    name: "upload-image",
    event: "compute_upload_image",
    taskState,
    timeoutMs: 24 * 3_600_000,
    command: uploadSnapshot,
    host: hostOf,
    input: ({ input }) => ({ snapshotId: imageOf(input).imageId, imageId: imageOf(input).imageId }),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  }),
  needs: "snapshot",
});
