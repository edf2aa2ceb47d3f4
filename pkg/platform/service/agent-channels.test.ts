import assert from "node:assert/strict";
import { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { ListCellsResponse } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { Clock } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { systemClock } from "../process/index.js";
import type { Client, ServiceDefinition } from "../rpc/index.js";
import { AgentChannels } from "./agent-channels.js";

const OPEN_AT_MOST = 2;
const IDLE_MS = 1000;

function setUp(): {
  readonly channels: AgentChannels;
  readonly opened: string[];
  readonly closed: string[];
  pass(ms: number): void;
  hold(): () => void;
} {
  const [opened, closed]: [string[], string[]] = [[], []];
  let nowMs = 0;
  let gate = Promise.resolve();
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const channels = new AgentChannels({
    max: OPEN_AT_MOST,
    idleMs: IDLE_MS,
    clock,
    open: (host, _address, asHost) => {
      opened.push(asHost === "" ? host : `${host} as ${asHost}`);
      return {
        client: <D extends ServiceDefinition>(_definition: D) =>
          ({
            listCells: async (): Promise<ListCellsResponse> => {
              await gate;
              return { cells: [] };
            },
          }) as unknown as Client<D>,
        close: async () => {
          closed.push(host);
        },
      };
    },
  });
  return {
    channels,
    opened,
    closed,
    pass: (ms) => {
      nowMs += ms;
    },
    hold: () => {
      let open = (): void => {};
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return () => open();
    },
  };
}

describe("platform/service: connections to agents", () => {
  const call = (channels: AgentChannels, host: string): Promise<unknown> =>
    channels.to(host, `${host}:8790`).client(GlobalServiceDefinition).listCells(testCtx(), {});

  it("opens one per host, at the first call", async () => {
    const { channels, opened } = setUp();
    channels.to("h1", "h1:8790");
    assert.deepEqual(opened, []);
    await Promise.all([call(channels, "h1"), call(channels, "h1")]);
    await call(channels, "h1");
    assert.deepEqual(opened, ["h1"]);
  });

  it("opens another one for each host that it speaks for", async () => {
    const { channels, opened } = setUp();
    for (const asHost of ["h2", "h3", "h2"])
      await channels.to("h1", "h1:8790", asHost).client(GlobalServiceDefinition).listCells(testCtx(), {});
    assert.deepEqual(opened, ["h1 as h2", "h1 as h3"]);
  });

  it("closes the one that was not used for longest when there are too many", async () => {
    const { channels, closed } = setUp();
    for (const host of ["h1", "h2", "h1", "h3"]) await call(channels, host);
    assert.deepEqual([closed, channels.size], [["h2"], OPEN_AT_MOST]);
  });

  it("never closes one that is in use", async () => {
    const { channels, closed, hold } = setUp();
    const release = hold();
    const calls = ["h1", "h2", "h3"].map((host) => call(channels, host));
    assert.deepEqual([closed, channels.size], [[], 3]);
    release();
    await Promise.all(calls);
  });

  it("closes idle ones", async () => {
    const { channels, closed, pass } = setUp();
    await call(channels, "h1");
    pass(IDLE_MS - 1);
    channels.closeIdle();
    assert.deepEqual(closed, []);
    pass(1);
    channels.closeIdle();
    assert.deepEqual([closed, channels.size], [["h1"], 0]);
  });
});
