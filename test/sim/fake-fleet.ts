import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { createAgent } from "../../pkg/compute/agent/agent.js";
import type { Agent } from "../../pkg/compute/agent/agent.js";
import { periodicConfig } from "../../pkg/compute/agent/periodic/options.js";
import { noDisks, noImages, noPlumbing, noUploads } from "../../pkg/compute/agent/ports.js";
import { FakeDriver } from "../../pkg/compute/drivers/fake/index.js";
import { vendorData, vendordataConfig } from "../../pkg/compute/vendordata/index.js";
import { mapLimit } from "../../pkg/kernel/index.js";
import type { Ctx } from "../../pkg/kernel/index.js";
import type { Channel } from "../../pkg/platform/rpc/index.js";
import { Metrics } from "../../pkg/platform/telemetry/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";

export interface FakeHost {
  readonly name: string;
  /** Changes its telemetry each time that it is asked. */
  readonly driver: FakeDriver;
}

export interface FakeFleet {
  readonly hosts: readonly FakeHost[];
  close(): Promise<void>;
}

const STARTED_AT_ONCE = 8;

/**
 * Real agents over fake hypervisors, all in this process, as they register and audit at a cell.
 * @param connect  a channel to `cells` as the agent of that host
 */
export async function startFakeFleet(options: {
  readonly count: number;
  readonly auditIntervalMs: number;
  readonly connect: (host: string) => Channel;
}): Promise<FakeFleet> {
  const folder = mkdtempSync("/tmp/kilonova-fake-fleet-");
  const ending = new AbortController();
  const tasks: Promise<void>[] = [];
  const background = (): Ctx => testCtx({ signal: ending.signal, deadlineMs: undefined });
  const metrics = new Metrics();
  const names = Array.from({ length: options.count }, (_, at) => `host-${at + 1}`);
  const agents: Agent[] = [];
  const hosts = await mapLimit(names, STARTED_AT_ONCE, async (name) => {
    const driver = new FakeDriver({ hostname: name });
    const agent = await createAgent({
      host: name,
      cell: "cell1",
      zone: "nova",
      address: `agent:${name}`,
      driver,
      cells: options.connect(name).client(HostsServiceDefinition),
      reserved: { vcpus: 0, memoryMib: 512, diskGib: 0 },
      ratios: { cpu: 4, memory: 1, disk: 1 },
      images: noImages,
      uploads: noUploads,
      disks: noDisks,
      plumbing: noPlumbing,
      domain: "",
      randomSeedOf: () => new Uint8Array(512),
      vendorData: vendorData(vendordataConfig.parse({}), undefined),
      journalPath: join(folder, name),
      periodic: { ...periodicConfig.parse({}), auditIntervalMs: options.auditIntervalMs },
      resumeGuestsStateOnHostBoot: false,
      announce: async () => {},
      metrics,
      task: (_name, run) => {
        tasks.push(run(background()));
      },
    });
    agents.push(agent);
    await agent.start(background());
    return { name, driver };
  });
  return {
    hosts,
    close: async () => {
      ending.abort(new Error("the fleet ends"));
      await Promise.allSettled(tasks);
      await Promise.all(agents.map((agent) => agent.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
