import type { Ctx } from "../../../kernel/ctx.js";
import { coordinationKeys, lastSegment } from "../../../platform/coordination/keys.js";
import type { CoordinationStore } from "../../../platform/coordination/ports.js";
import type { Liveness } from "../../ports.js";

/** Who holds a lease in the coordination registry. While the registry is silent, the last known answer stands. */
export function registryLiveness(store: CoordinationStore): Liveness & { run(ctx: Ctx): Promise<void> } {
  const alive = new Set<string>();
  return {
    isUp: (host) => alive.has(host),
    run: async (ctx) => {
      for await (const event of store.watch(ctx, coordinationKeys.hosts)) {
        switch (event.kind) {
          case "snapshot":
            alive.clear();
            for (const { key } of event.entries) alive.add(lastSegment(key));
            break;
          case "put": alive.add(lastSegment(event.entry.key)); break;
          case "delete": alive.delete(lastSegment(event.key));
        }
      }
    },
  };
}
