export { ImageCache } from "./cache.js";
export type { ImageCacheOptions } from "./cache.js";
export { ImageErrors } from "./errors.js";
export { inspectImage, judgeImage } from "./inspect.js";
export type { Declared, ImageLimits, Inspection } from "./inspect.js";
export type { Refusal, RefusalCode } from "./formats/format.js";
export { HEAD_BYTES } from "./formats/view.js";
export type { ImageView } from "./formats/view.js";
export type { ImageFacts, ImageSource } from "./ports.js";
