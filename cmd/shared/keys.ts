import { ConfigErrors } from "../../pkg/platform/config/index.js";

const KEY_BYTES = 32;

/** A 256-bit key under the name by which what it made says so. */
export interface NamedKey {
  readonly id: string;
  readonly key: Buffer;
}

/**
 * Keys as the configuration writes them, in base64.
 * @param option  where they stand, for people
 * @throws CONFIG_INVALID when there are none, or one has the wrong length
 */
export function namedKeys(
  option: string,
  keys: readonly { readonly id: string; readonly key: string }[],
): readonly [NamedKey, ...NamedKey[]] {
  const [first, ...rest] = keys.map(({ id, key }) => ({ id, key: Buffer.from(key, "base64") }));
  if (!first) throw ConfigErrors.CONFIG_INVALID({ problems: `- ${option}: must hold a key` });
  const short = [first, ...rest].find(({ key }) => key.length !== KEY_BYTES);
  if (short)
    throw ConfigErrors.CONFIG_INVALID({
      problems: `- ${option}: key ${short.id} must have ${KEY_BYTES} bytes`,
    });
  return [first, ...rest];
}
