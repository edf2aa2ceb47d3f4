import { z } from "zod";
import type { Destination } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { hostAndPort } from "../../model/agent-address.js";
import { outputOf } from "../engine/outputs.js";

/**
 * A destination as stored: what later steps need. Amounts travel as text, since JSON has no 64-bit numbers.
 */
const destination = z.object({
  cell: z.string(),
  host: z.string(),
  node: z.string(),
  computeNodeId: z.string(),
  zone: z.string(),
  // Without a port. Absent in what was stored before it was told; empty inside one process.
  address: z.string().optional(),
  resources: z.array(z.object({ providerId: z.string(), resources: z.record(z.string(), z.string()) })),
});
export type StoredDestination = z.output<typeof destination>;

export const storedDestination = (one: Destination): StoredDestination => ({
  cell: one.cell,
  host: one.host,
  node: one.node,
  computeNodeId: one.computeNodeId,
  zone: one.availabilityZone,
  address: hostAndPort(one.agentAddress).host,
  resources: one.resources.map(({ providerId, resources }) => ({
    providerId,
    resources: Object.fromEntries([...resources].map(([name, amount]) => [name, amount.toString()])),
  })),
});

/** Why there is no host. */
export const refusal = z.object({
  message: z.string(),
  details: z.string(),
  facts: z.record(z.string(), z.string()),
});

/** What the scheduler said: hosts, best first, or why there is none. */
export const selectedHosts = outputOf(
  "select-destinations",
  z.object({ hosts: z.array(destination), refusal: refusal.optional() }),
);

/** Which of these holds the claim. */
export const claimedHost = outputOf("claim-host", z.object({ index: z.number().int(), host: destination }));
