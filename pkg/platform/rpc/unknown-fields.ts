/**
 * Takes out of a message, at every depth, what this build does not know. For what strangers send: a newer
 * process that finds it later in a stored record would take it for something that was checked.
 * @param message  as it was decoded; changed in place
 * @returns the same message
 */
export function forgetUnknown<T>(message: T): T {
  if (typeof message !== "object" || message === null || ArrayBuffer.isView(message)) return message;
  if (Array.isArray(message)) {
    // Lists are of messages or of plain values as a whole.
    if (typeof message[0] === "object") for (const item of message) forgetUnknown(item);
  } else if (message instanceof Map) {
    for (const value of message.values()) forgetUnknown(value);
  } else {
    if ("_unknownFields" in message) delete message._unknownFields;
    for (const key in message) if (typeof message[key] === "object") forgetUnknown(message[key]);
  }
  return message;
}
