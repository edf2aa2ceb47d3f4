export * from "./context.js";
export * from "./failure.js";
export * from "./body.js";
export * from "./storable.js";
export * from "./base-url.js";
export * from "./cors.js";
export * from "./server.js";
export * from "./client.js";
