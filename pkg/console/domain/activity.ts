/** RFB: type, whether incremental, and a rectangle. */
const ASKS_FOR_SCREEN = 3;
const ASKING_BYTES = 10;

/**
 * Whether what a browser sends shows that somebody is there. A VNC client asks for the screen by itself
 * whenever it has drawn what it got, and a cursor that blinks is enough for that.
 */
export const isActivity = (kind: "vnc" | "serial", bytes: Uint8Array): boolean =>
  bytes.length > 0 && (kind === "serial" || !onlyAsksForScreen(bytes));

function onlyAsksForScreen(bytes: Uint8Array): boolean {
  if (bytes.length % ASKING_BYTES !== 0) return false;
  for (let at = 0; at < bytes.length; at += ASKING_BYTES) if (bytes[at] !== ASKS_FOR_SCREEN) return false;
  return true;
}
