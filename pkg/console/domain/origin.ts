/**
 * Whether a page may open a console here: one of ours, or of an origin that the operator allows. Without an
 * origin it is no browser that asks.
 * @param host     as the request names this server
 * @param allowed  origins
 */
export function mayOpen(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  return allowed.includes(origin) || new URL(origin).host === host?.toLowerCase();
}
