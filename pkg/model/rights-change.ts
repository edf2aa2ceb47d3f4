/**
 * News of Identity to whoever remembers tokens: whose tokens may be worth something else now, or nothing.
 * `token` is the base64 of the token's SHA-256, as caches key it.
 */
export type RightsChange =
  | { readonly of: "token"; readonly key: string }
  | { readonly of: "user"; readonly userId: string }
  | { readonly of: "everybody" };

/** Whether the change may concern this token. */
export function concerns(change: RightsChange, key: string, userId: string): boolean {
  switch (change.of) {
    case "token":
      return change.key === key;
    case "user":
      return change.userId === userId;
    case "everybody":
      return true;
  }
}
