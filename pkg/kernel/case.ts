/** A field's name as protos spell it: `accessIpV4` → `access_ip_v4`. */
export const snakeCase = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
