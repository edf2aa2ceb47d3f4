export { readUserRegex } from "./user-regex.js";
export type { UserRegex } from "./user-regex.js";
