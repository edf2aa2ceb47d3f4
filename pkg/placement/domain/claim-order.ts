/** Stands for all attempts of an owner. */
export const EVERY_ATTEMPT = 0xffff;
const ATTEMPTS = 0x10000;

/**
 * One growing number for an operation's owner and the owner's attempt; the ledger and its tables call it the
 * fence. Exact below 2^37 owners.
 */
export const orderOf = (fence: number, attempt: number): number => fence * ATTEMPTS + attempt;

/** The owner's fence in an order. */
export const fenceOf = (order: number): number => Math.trunc(order / ATTEMPTS);

/** Facts about an order, for errors: `attempt` is "any" where all of the owner's attempts are meant. */
export const orderFacts = (order: number): { readonly fence: number; readonly attempt: string } => {
  const attempt = order % ATTEMPTS;
  return { fence: fenceOf(order), attempt: attempt === EVERY_ATTEMPT ? "any" : String(attempt) };
};
