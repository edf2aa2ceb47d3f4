export { consoleConfig } from "./config.js";
export { startConsoleProxy } from "./wire.js";
