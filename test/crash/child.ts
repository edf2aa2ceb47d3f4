import { noCrash } from "../../pkg/conductor/engine/crash-points.js";
import type { CrashPoints } from "../../pkg/conductor/engine/crash-points.js";
import type { Answer, CrashAt, Order } from "./protocol.js";
import { scenarios } from "./scenarios.js";

/** The process that dies. Nothing but this entry can make a conductor crash. */
function dieAt(at: CrashAt): CrashPoints {
  let left = at.nth ?? 1;
  return {
    hit: async (kind, step, when) => {
      if (kind !== at.kind || step !== at.step || when !== at.when || --left > 0) return;
      process.kill(process.pid, "SIGKILL");
      await new Promise<never>(() => {});
    },
  };
}

const say = (answer: Answer): void => {
  process.send?.(answer);
};

async function obey(order: Order): Promise<void> {
  const scenario = scenarios.get(order.scenario);
  if (scenario === undefined) throw new Error(`no scenario ${order.scenario}`);
  const crash = order.do === "run" && order.crash !== undefined ? dieAt(order.crash) : noCrash;
  const world = await scenario.open(order.place, crash);
  if (order.do === "run") {
    const { kind, failing, crash: at } = order;
    const slow = at?.when === "progress";
    if (slow) void world.progressed(at.step, at.nth ?? 1).then(() => process.kill(process.pid, "SIGKILL"));
    await world.begin(kind, { failing, slow });
  }
  await world.settled();
  const state = await world.endState();
  await world.close();
  say({ said: "ended", place: order.place.label, state });
}

let queue = Promise.resolve();
process.on("message", (message) => {
  const order = message as Order;
  queue = queue
    .then(() => obey(order))
    .catch((error: unknown) => {
      say({
        said: "failed",
        place: order.place.label,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    });
});
process.on("disconnect", () => process.exit(0));
say({ said: "ready" });
