// Written by scripts/gen-registries.mjs from the contract's `debug_redact`. Do not edit.

/** Fields of requests that are secret, by the request's name: they are stored sealed. */
export const sealedFields: ReadonlyMap<string, readonly string[]> = new Map([
  ["ChangeServerPasswordRequest", ["adminPassword"]],
  ["CreateServersRequest", ["userData","adminPassword","files"]],
  ["EvacuateServerRequest", ["adminPassword"]],
  ["GetConsoleConnectionRequest", ["token"]],
  ["RebuildServerRequest", ["adminPassword","userData","files"]],
  ["RescueServerRequest", ["adminPassword"]],
]);
