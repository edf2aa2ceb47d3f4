/** Source of identifiers; handed in so that tests can count them. */
export interface Ids {
  /** A random (version 4) UUID in lower-case canonical form. */
  uuid(): string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether the text is a UUID in the canonical lower-case form in which Kilonova stores them. */
export const isCanonicalUuid = (text: string): boolean => UUID.test(text);

/**
 * Reads any form that OpenStack takes for a UUID (upper case, no dashes, braces, `urn:uuid:`).
 * @returns the canonical form, or undefined
 */
export function parseUuid(text: string): string | undefined {
  const hex = text
    .toLowerCase()
    .replace(/^urn:uuid:/, "")
    .replace(/[{}-]/g, "");
  if (!/^[0-9a-f]{32}$/.test(hex)) return undefined;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
