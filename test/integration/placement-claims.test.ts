import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { aClaim, aHost, refusal, testPlacement } from "../../pkg/placement/testing/test-placement.js";
import type { TestPlacement } from "../../pkg/placement/testing/test-placement.js";
import { testCtx } from "../../pkg/testkit/ctx.js";

const operation = (server: string): string => `servers/${server}/operations/boot`;

describe("placement claims (PostgreSQL)", () => {
  let placement: TestPlacement;
  before(async () => {
    placement = await testPlacement();
  });
  after(() => placement.close());

  const host = async (init: Partial<Parameters<typeof aHost>[0]> = {}): Promise<string> => {
    const id = randomUUID();
    await placement.as("cells").syncProviderTree(testCtx(), { root: aHost({ id, ...init }) });
    return id;
  };
  const claim = (
    server: string,
    provider: string,
    fence = 1,
    more: { consumerGeneration?: bigint; operation?: string; amounts?: Record<string, number> } = {},
  ) =>
    placement.as("conductor").claimAllocations(testCtx(), {
      claim: {
        ...aClaim(server, provider, more.amounts),
        ...(more.consumerGeneration === undefined ? {} : { consumerGeneration: more.consumerGeneration }),
      },
      operation: more.operation ?? operation(server),
      fence: BigInt(fence),
    });
  const usage = async (provider: string, resourceClass = "VCPU"): Promise<bigint | undefined> => {
    const { provider: found } = await placement
      .as("gateway")
      .getProvider(testCtx(), { id: provider, withDetails: true });
    return found?.inventories.find((one) => one.resourceClass === resourceClass)?.used;
  };

  it("registers a host once and writes nothing when the report did not change", async () => {
    const id = randomUUID();
    const report = {
      root: aHost({ id, traits: ["COMPUTE_NODE", "CUSTOM_FAST"] }),
      managedTraits: ["COMPUTE_NODE", "CUSTOM_OLD"],
    };
    const first = await placement.as("cells").syncProviderTree(testCtx(), report);
    const second = await placement.as("cells").syncProviderTree(testCtx(), report);
    assert.deepEqual(first.root?.traits, ["COMPUTE_NODE", "CUSTOM_FAST"]);
    assert.equal(second.root?.generation, first.root?.generation);
    const third = await placement
      .as("cells")
      .syncProviderTree(testCtx(), { ...report, root: aHost({ id, traits: [] }) });
    assert.deepEqual(third.root?.traits, ["CUSTOM_FAST"], "only the driver's own traits go");
    assert.equal(third.root?.generation, (first.root?.generation ?? 0n) + 1n);
  });

  it("accepts exactly as many of many parallel claims as fit", async () => {
    const provider = await host({ vcpus: 7 });
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, () =>
        claim(randomUUID(), provider).then(
          () => "ok",
          (error: { reason: string }) => error.reason,
        ),
      ),
    );
    assert.equal(outcomes.filter((one) => one === "ok").length, 7);
    assert.equal(outcomes.filter((one) => one === "CAPACITY_EXCEEDED").length, 33);
    assert.equal(await usage(provider), 7n);
  });

  it("never oversubscribes when two replicas write at once", async () => {
    const provider = await host({ vcpus: 16 });
    const others = [placement, placement.replica()];
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, number) => {
        const server = randomUUID();
        return (others[number % 2] ?? placement)
          .as("scheduler")
          .claimAllocations(testCtx({ deadlineMs: Date.now() + 30_000 }), {
            claim: aClaim(server, provider),
            operation: operation(server),
            fence: 1n,
          })
          .then(
            () => "ok",
            (error: { reason: string }) => error.reason,
          );
      }),
    );
    assert.equal(outcomes.filter((one) => one === "ok").length, 16, outcomes.join());
    assert.equal(await usage(provider), 16n);
  });

  it("keeps usage equal to the sum of allocations", async () => {
    const table = (name: string) => sql.id(placement.database.schema, name);
    const { rows } = await placement.database.read(testCtx(), "test.usage", (tx) =>
      sql<{ wrong: number }>`SELECT count(*) AS wrong FROM ${table("inventory")} i
      WHERE used <> (SELECT coalesce(sum(amount), 0) FROM ${table("allocation")} a
        WHERE a.provider_id = i.provider_id AND a.resource_class = i.resource_class)`.execute(tx),
    );
    assert.deepEqual(rows, [{ wrong: 0 }]);
  });

  it("answers a repeated claim with the same generation and counts it once", async () => {
    const provider = await host();
    const server = randomUUID();
    const first = await claim(server, provider);
    const again = await claim(server, provider);
    assert.equal(first.consumerGeneration, 1n);
    assert.equal(again.consumerGeneration, 1n);
    assert.equal(await usage(provider), 1n);
  });

  it("lets a new owner of the operation take the claim over, and no old one", async () => {
    const [one, other] = [await host(), await host()];
    const server = randomUUID();
    await claim(server, one, 1);
    assert.equal((await claim(server, other, 2)).consumerGeneration, 2n);
    assert.deepEqual([await usage(one), await usage(other)], [0n, 1n]);
    assert.equal((await refusal(claim(server, one, 1))).reason, "CLAIM_FENCED");
  });

  it("moves to another host under the consumer's generation only", async () => {
    const [one, other] = [await host(), await host()];
    const server = randomUUID();
    const { consumerGeneration } = await claim(server, one);
    assert.equal((await refusal(claim(server, other))).reason, "CONSUMER_GENERATION_CONFLICT");
    assert.equal((await claim(server, other, 1, { consumerGeneration })).consumerGeneration, 2n);
    assert.deepEqual([await usage(one), await usage(other)], [0n, 1n]);
  });

  it("refuses a claim that arrives after its undo, and takes one of a later owner", async () => {
    const provider = await host();
    const server = randomUUID();
    const undo = (fence: bigint) =>
      placement.as("conductor").releaseAllocations(testCtx(), {
        consumerId: server,
        operation: operation(server),
        fence,
        ownClaimsOnly: true,
      });
    assert.equal((await undo(3n)).released, false);
    assert.equal((await refusal(claim(server, provider, 3))).reason, "CLAIM_TOMBSTONED");
    await claim(server, provider, 4);
    assert.equal((await undo(4n)).released, true);
    assert.equal((await undo(4n)).released, false, "repeating is harmless");
    assert.equal(await usage(provider), 0n);
  });

  it("takes the next attempt of the same owner after the undo of one, and no late one", async () => {
    const [one, other] = [await host(), await host()];
    const server = randomUUID();
    const attempt = (provider: string, number: number) =>
      placement.as("conductor").claimAllocations(testCtx(), {
        claim: aClaim(server, provider),
        operation: operation(server),
        fence: 3n,
        attempt: number,
      });
    await attempt(one, 0);
    await placement.as("conductor").releaseAllocations(testCtx(), {
      consumerId: server,
      operation: operation(server),
      fence: 3n,
      attempt: 0,
    });
    await attempt(other, 1);
    assert.equal((await refusal(attempt(one, 0))).reason, "CLAIM_TOMBSTONED");
    await attempt(one, 2);
    assert.deepEqual([await usage(one), await usage(other)], [1n, 0n]);
    assert.equal((await refusal(attempt(other, 1))).reason, "CLAIM_FENCED");
    await placement
      .as("conductor")
      .releaseAllocations(testCtx(), { consumerId: server, operation: operation(server), fence: 3n });
    assert.equal((await refusal(attempt(one, 3))).reason, "CLAIM_TOMBSTONED");
  });

  it("releases another operation's claim on deletion and refuses its late repetition", async () => {
    const provider = await host();
    const server = randomUUID();
    await claim(server, provider, 5);
    const released = await placement
      .as("conductor")
      .releaseAllocations(testCtx(), { consumerId: server, operation: "delete", fence: 1n });
    assert.equal(released.released, true);
    assert.equal((await refusal(claim(server, provider, 5))).reason, "CLAIM_TOMBSTONED");
    assert.deepEqual(
      (await placement.as("conductor").getAllocations(testCtx(), { consumerId: server })).consumers,
      [],
    );
  });

  it("leaves another operation's claim alone when only its own are undone", async () => {
    const provider = await host();
    const server = randomUUID();
    await claim(server, provider, 1, { operation: "evacuate" });
    const undone = await placement.as("conductor").releaseAllocations(testCtx(), {
      consumerId: server,
      operation: "boot",
      fence: 1n,
      ownClaimsOnly: true,
    });
    assert.equal(undone.released, false);
    assert.equal(await usage(provider), 1n);
  });

  it("lets an overfull provider shrink but not grow", async () => {
    const id = await host({ vcpus: 8 });
    const server = randomUUID();
    const { consumerGeneration } = await claim(server, id, 1, { amounts: { VCPU: 6 } });
    const shrunk = aHost({ id, vcpus: 8 });
    await placement.as("cells").syncProviderTree(testCtx(), {
      root: { ...shrunk, inventories: shrunk.inventories.map((one) => ({ ...one, allocationRatio: 0.5 })) },
    });
    await claim(server, id, 1, { amounts: { VCPU: 5 }, consumerGeneration });
    assert.equal(
      (await refusal(claim(server, id, 1, { amounts: { VCPU: 6 }, consumerGeneration: 2n }))).reason,
      "CAPACITY_EXCEEDED",
    );
    assert.equal(await usage(id), 5n);
  });

  it("does not take away a class that somebody uses", async () => {
    const id = await host();
    await claim(randomUUID(), id);
    const report = aHost({ id });
    const error = await refusal(
      placement.as("cells").syncProviderTree(testCtx(), {
        root: { ...report, inventories: report.inventories.filter((one) => one.resourceClass !== "VCPU") },
        managedClasses: ["VCPU", "MEMORY_MB", "DISK_GB"],
      }),
    );
    assert.equal(error.reason, "INVENTORY_IN_USE");
    assert.equal(error.kind, "refused");
  });

  it("tells the gateway what was claimed, by consumer and by provider", async () => {
    const provider = await host();
    const server = randomUUID();
    await claim(server, provider, 9);
    const {
      consumers: [mine],
    } = await placement.as("scheduler").getAllocations(testCtx(), { consumerId: server });
    assert.equal(mine?.claimOperation, operation(server));
    assert.equal(mine.claimFence, 9n);
    assert.deepEqual(
      [...(mine.allocations[0]?.resources ?? [])],
      [
        ["MEMORY_MB", 512n],
        ["VCPU", 1n],
      ],
    );
    const { consumers } = await placement.as("gateway").getAllocations(testCtx(), { providerId: provider });
    assert.deepEqual(
      consumers.map((one) => one.consumerId),
      [server],
    );
  });

  it("streams a snapshot and then what changed", async () => {
    const provider = await host();
    const stop = new AbortController();
    const seen: { reset: boolean; full: number; used: string[] }[] = [];
    const ctx = testCtx({ signal: stop.signal });
    await assert.rejects(async () => {
      for await (const batch of placement.as("scheduler").watchChanges(ctx, {})) {
        seen.push({
          reset: batch.reset,
          full: batch.providers.length,
          used: batch.usedProviders.map((one) => one.id),
        });
        if (seen.length === 1) await claim(randomUUID(), provider);
        if (seen.length === 2) stop.abort();
      }
    });
    assert.equal(seen[0]?.reset, true);
    assert.ok((seen[0]?.full ?? 0) > 5);
    assert.deepEqual(seen[1], { reset: false, full: 0, used: [provider] });
  });
});
