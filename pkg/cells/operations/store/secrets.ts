import type { StoreDeps } from "../../store/deps.js";

/** Secrets of an operation as its row keeps them: sealed, and bound to it; null for none. */
export const sealedSecrets = (
  { box }: Pick<StoreDeps, "box">,
  secrets: Buffer,
  operationId: string,
): Buffer | null => (secrets.length === 0 ? null : box.seal(secrets, operationId));

/** Secrets of an operation for its owner. */
export const openSecrets = (
  { box }: Pick<StoreDeps, "box">,
  row: { readonly id: string; readonly secrets: Buffer | null },
): Buffer => (row.secrets === null ? Buffer.alloc(0) : box.open(row.secrets, row.id));
