import assert from "node:assert/strict";
import { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { ListCellsResponse } from "../../../gen/kilonova/cells/v1/global_service.js";
import { CommonErrors } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { systemClock } from "../process/index.js";
import type { Channel, Client, ServiceDefinition } from "../rpc/index.js";
import { discoveredChannel } from "./discovered-channel.js";
import type { DiscoveredChannelOptions } from "./discovered-channel.js";

/** Channels whose every call is noted, and fails where told. */
class Network {
  readonly calls: string[] = [];
  readonly broken = new Set<string>();
  readonly closed: string[] = [];
  addresses: string[] = [];
  readonly listeners = new Set<() => void>();

  channel(over: Partial<DiscoveredChannelOptions> = {}): Channel {
    return discoveredChannel({
      service: "cells",
      addresses: () => this.addresses,
      clock: systemClock,
      random: () => 0,
      onChange: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
      open: (address) => ({
        client: <D extends ServiceDefinition>(_definition: D) =>
          ({
            listCells: async (): Promise<ListCellsResponse> => {
              this.calls.push(address);
              if (this.broken.has(address)) throw CommonErrors.UNAVAILABLE({ what: address });
              return { cells: [] };
            },
          }) as unknown as Client<D>,
        close: async () => {
          this.closed.push(address);
        },
      }),
      ...over,
    });
  }

  change(addresses: readonly string[]): void {
    this.addresses = [...addresses];
    for (const listener of this.listeners) listener();
  }
}

describe("platform/service: channel by a service's name", () => {
  it("takes the living instances in turn", async () => {
    const network = new Network();
    network.addresses = ["a:1", "b:1"];
    const client = network.channel().client(GlobalServiceDefinition);
    for (let i = 0; i < 4; i++) await client.listCells(testCtx(), {});
    assert.deepEqual(network.calls, ["a:1", "b:1", "a:1", "b:1"]);
  });

  it("asks another instance when one is unavailable, and passes that one over for a while", async () => {
    const network = new Network();
    network.addresses = ["a:1", "b:1"];
    network.broken.add("a:1");
    const client = network.channel().client(GlobalServiceDefinition);
    for (let i = 0; i < 3; i++) await client.listCells(testCtx(), {});
    assert.deepEqual(network.calls, ["a:1", "b:1", "b:1", "b:1"]);
  });

  it("waits for the first instance", async () => {
    const network = new Network();
    const answer = network.channel().client(GlobalServiceDefinition).listCells(testCtx(), {});
    await new Promise((resolve) => setImmediate(resolve));
    network.change(["a:1"]);
    assert.deepEqual((await answer).cells, []);
    assert.equal(network.listeners.size, 0);
  });

  it("has a visitor wait once, and says what is missing", async () => {
    let waits = 0;
    const clock = { ...systemClock, sleep: async () => void waits++ };
    const client = new Network()
      .channel({ clock, nobody: () => CommonErrors.UNAVAILABLE({ what: "The registry" }) })
      .client(GlobalServiceDefinition);
    await assert.rejects(client.listCells(testCtx(), {}), /The registry is unavailable/);
    assert.equal(waits, 1);
  });

  it("says which service is missing when none appears within the deadline", async () => {
    const client = new Network().channel().client(GlobalServiceDefinition);
    await assert.rejects(client.listCells(testCtx({ deadlineMs: Date.now() + 30 }), {}), {
      reason: "NO_INSTANCE",
      facts: { service: "cells" },
    });
  });

  it("lets go of instances that left", async () => {
    const network = new Network();
    network.addresses = ["a:1"];
    const client = network.channel().client(GlobalServiceDefinition);
    await client.listCells(testCtx(), {});
    network.change(["b:1"]);
    await client.listCells(testCtx(), {});
    assert.deepEqual([network.calls, network.closed], [["a:1", "b:1"], ["a:1"]]);
  });
});
