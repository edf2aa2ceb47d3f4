/**
 * What a text says: nothing when it is empty. Stored records have empty texts, what users see is unset then.
 */
export const orNone = (text: string | undefined): string | undefined => (text === "" ? undefined : text);
