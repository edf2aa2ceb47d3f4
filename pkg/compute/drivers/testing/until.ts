/**
 * Waits until the condition gives something other than undefined or false.
 * @throws when `timeoutMs` passes first
 */
export async function until<T>(what: string, timeoutMs: number, condition: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
