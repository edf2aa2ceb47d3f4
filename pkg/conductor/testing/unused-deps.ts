import assert from "node:assert/strict";
import type { KindDeps } from "../kind-factory.js";
import type { Ports } from "../ports.js";

/** What kinds are built with that are only looked at. */
export const unusedDeps: KindDeps = {
  ports: {} as unknown as Ports,
  factsOf: () => assert.fail("nothing runs"),
  maxAttempts: 3,
  maxDiskDevices: -1,
  reimageMsPerGib: 0,
  precacheConcurrency: 1,
};
