export { ImageCache } from "./cache.js";
export type { ImageCacheOptions } from "./cache.js";
export type { Declared, ImageLimits, Inspection } from "./inspect.js";
export type { Refusal, RefusalCode } from "./formats/format.js";
export type { ImageView } from "./formats/view.js";
export type { ImageFacts, ImageSource } from "./ports.js";
export { imageUploads } from "./upload.js";
