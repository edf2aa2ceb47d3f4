import { defineErrors } from "../../kernel/index.js";

/** Why an image cannot be used on this host. Texts are safe for tenants. */
export const ImageErrors = defineErrors("compute.images", {
  IMAGE_REFUSED: [
    "refused",
    (p: { imageId: string; reasons: string; detail: string }) =>
      `Image ${p.imageId} is unacceptable: ${p.detail}`,
  ],
  IMAGE_NOT_ACTIVE: ["refused", (p: { imageId: string }) => `Image ${p.imageId} is not active.`],
  IMAGE_REPLACED: [
    "refused",
    (p: { imageId: string }) => `The data of image ${p.imageId} is not what it was when it was asked for.`,
  ],
  IMAGE_DAMAGED: [
    "unavailable",
    (p: { imageId: string }) => `The data of image ${p.imageId} arrived damaged.`,
  ],
  IMAGE_UNAVAILABLE: [
    "unavailable",
    (p: { imageId: string }) => `Image ${p.imageId} could not be downloaded.`,
  ],
  IMAGE_NOT_CONVERTIBLE: [
    "refused",
    (p: { imageId: string }) => `Image ${p.imageId} could not be converted.`,
  ],
});
