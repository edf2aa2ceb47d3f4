import { CreateErrors } from "../errors.js";

/** @returns the text without line breaks. @throws BAD_USER_DATA when it is no base64 */
export function requireBase64(text: string): string {
  const compact = text.replace(/\s+/g, "");
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact))
    throw CreateErrors.BAD_USER_DATA({});
  return compact;
}
