import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { aClaim, aHost, refusal, testPlacement } from "../../pkg/placement/testing/test-placement.js";
import type { TestPlacement } from "../../pkg/placement/testing/test-placement.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";

/** A server on its source, the migration that shall keep it, and the operation that moves it. */
interface Moving {
  readonly server: string;
  readonly migration: string;
  readonly source: string;
  readonly operation: string;
}

describe("placement claims of moves (PostgreSQL)", () => {
  let placement: TestPlacement;
  before(async () => {
    placement = await testPlacement();
  });
  after(() => placement.close());

  const conductor = (at = placement) => at.as("conductor");
  const ctx = () => testCtx({ deadlineMs: Date.now() + 30_000 });
  const host = async (vcpus = 8): Promise<string> => {
    const id = randomUUID();
    await placement.as("cells").syncProviderTree(ctx(), { root: aHost({ id, vcpus }) });
    return id;
  };
  const booted = async (source?: string): Promise<Moving> => {
    const server = randomUUID();
    const on = source ?? (await host());
    await conductor().claimAllocations(ctx(), {
      claim: aClaim(server, on),
      operation: `${server}/boot`,
      fence: 1n,
    });
    return { server, migration: randomUUID(), source: on, operation: `${server}/resize` };
  };
  const move = (
    { server, migration, operation }: Moving,
    destination: string,
    {
      fence = 2n,
      attempt = 0,
      generation = 1n,
      at = placement,
    }: { fence?: bigint; attempt?: number; generation?: bigint; at?: TestPlacement } = {},
  ) =>
    conductor(at).claimAllocations(ctx(), {
      operation,
      fence,
      attempt,
      claim: { ...aClaim(server, destination), consumerGeneration: generation },
      takeOvers: [{ consumerId: migration, consumerType: "MIGRATION", fromConsumerId: server }],
    });
  const undo = ({ server, migration, operation }: Moving, fence = 2n, attempt?: number) =>
    conductor().revertAllocations(ctx(), {
      consumerId: server,
      takenByConsumerId: migration,
      operation,
      fence,
      ...(attempt === undefined ? {} : { attempt }),
    });
  const held = async (consumerId: string) =>
    (await conductor().getAllocations(ctx(), { consumerId })).consumers[0];
  const on = async (consumerId: string): Promise<string[]> =>
    ((await held(consumerId))?.allocations ?? []).map(({ providerId }) => providerId).sort();
  const usage = async (provider: string): Promise<bigint | undefined> => {
    const found = await placement.as("gateway").getProvider(ctx(), { id: provider, withDetails: true });
    return found.provider?.inventories.find((one) => one.resourceClass === "VCPU")?.used;
  };

  it("hands the source to the migration and claims the destination, and answers repetitions alike", async () => {
    const moving = await booted();
    const destination = await host();
    const first = await move(moving, destination);
    assert.deepEqual(Object.fromEntries(first.consumerGenerations), {
      [moving.server]: 2n,
      [moving.migration]: 1n,
    });
    const again = await move(moving, destination);
    assert.deepEqual({ ...again, revision: first.revision }, { ...first }, "the same generations");
    assert.deepEqual([await on(moving.server), await on(moving.migration)], [[destination], [moving.source]]);
    assert.deepEqual([await usage(moving.source), await usage(destination)], [1n, 1n]);
    const migration = await held(moving.migration);
    assert.deepEqual(
      [migration?.consumerType, migration?.projectId, migration?.claimOperation, migration?.claimFence],
      ["MIGRATION", "p1", moving.operation, 2n],
    );
    assert.equal((await held(moving.server))?.consumerType, "INSTANCE");
  });

  it("writes nothing for a repetition", async () => {
    const moving = await booted();
    const destination = await host();
    const { revision } = await move(moving, destination);
    assert.equal((await move(moving, destination)).revision, revision);
  });

  it("gives the last room to exactly one of two moves, and leaves the other as it was", async () => {
    const destination = await host(1);
    const both = [await booted(), await booted()];
    const replica = placement.replica();
    const outcomes = await Promise.all(
      both.map((moving, number) =>
        move(moving, destination, { at: number === 0 ? placement : replica }).then(
          () => "moved",
          (error: { reason: string; facts: Record<string, string> }) =>
            [error.reason, error.facts["free"]].join(),
        ),
      ),
    );
    assert.deepEqual([...outcomes].sort(), ["CAPACITY_EXCEEDED,0", "moved"]);
    const loser = both[outcomes.indexOf("moved") === 0 ? 1 : 0];
    assert.ok(loser !== undefined);
    assert.deepEqual([await on(loser.server), await on(loser.migration)], [[loser.source], []]);
    assert.equal((await held(loser.server))?.consumerGeneration, 1n);
    assert.equal(await usage(destination), 1n);
  });

  it("refuses an overtaken conductor, says by whom, and keeps the source through the take-over", async () => {
    const moving = await booted();
    const [one, other] = [await host(), await host()];
    await move(moving, one, { fence: 2n });
    const { consumerGeneration } = await move(moving, other, { fence: 3n, generation: 2n });
    assert.equal(consumerGeneration, 3n);
    assert.deepEqual([await on(moving.server), await on(moving.migration)], [[other], [moving.source]]);
    const late = await refusal(move(moving, one, { fence: 2n }));
    assert.equal(late.reason, "CLAIM_FENCED");
    assert.deepEqual(
      ["fence", "attempt", "have_fence", "have_attempt"].map((fact) => late.facts[fact]),
      ["2", "0", "3", "0"],
    );
    assert.equal((await refusal(undo(moving, 2n))).reason, "CLAIM_FENCED");
    assert.deepEqual([await usage(one), await usage(other)], [0n, 1n]);
  });

  it("undoes a move in one call, and refuses the move when its undo came first", async () => {
    const moving = await booted();
    const destination = await host();
    await move(moving, destination);
    assert.deepEqual(await undo(moving), { reverted: true });
    assert.deepEqual(await undo(moving), { reverted: false });
    assert.deepEqual([await on(moving.server), await on(moving.migration)], [[moving.source], []]);
    assert.deepEqual([await usage(moving.source), await usage(destination)], [1n, 0n]);
    const early = await booted();
    assert.deepEqual(await undo(early), { reverted: false });
    const refused = await refusal(move(early, destination));
    assert.deepEqual(
      [refused.reason, refused.facts["undone_fence"], refused.facts["undone_attempt"]],
      ["CLAIM_TOMBSTONED", "2", "any"],
    );
    assert.deepEqual([await on(early.server), await usage(destination)], [[early.source], 0n]);
  });

  it("moves again after the undo of one try, under the same fence", async () => {
    const moving = await booted();
    const [one, other] = [await host(), await host()];
    await move(moving, one);
    await undo(moving, 2n, 0);
    const generation = (await held(moving.server))?.consumerGeneration ?? 0n;
    await move(moving, other, { attempt: 1, generation });
    assert.equal((await refusal(move(moving, one, { generation }))).reason, "CLAIM_TOMBSTONED");
    assert.deepEqual([await on(moving.server), await on(moving.migration)], [[other], [moving.source]]);
  });

  it("lets exactly one of a move and its undo count, however they race", async () => {
    const replica = placement.replica();
    for (let round = 0; round < 8; round++) {
      const moving = await booted();
      const destination = await host();
      const [moved, undone] = await Promise.all([
        move(moving, destination, { at: round % 2 === 0 ? placement : replica }).then(
          () => "moved",
          (error: { reason: string }) => error.reason,
        ),
        undo(moving),
      ]);
      assert.ok(
        undone.reverted ? moved === "moved" : moved === "CLAIM_TOMBSTONED",
        `${moved}, reverted: ${undone.reverted}`,
      );
      assert.deepEqual([await on(moving.server), await on(moving.migration)], [[moving.source], []]);
      assert.equal(await usage(destination), 0n);
    }
  });

  it("has moved nothing when it dies before its commit, and ends when it is repeated", async () => {
    const moving = await booted();
    const destination = await host();
    const replica = placement.replica();
    const head = sql.id(placement.database.schema, "head");
    let going: Promise<string> | undefined;
    // The head's row is the last that a claim writes: held here, it stands between the writes and the commit.
    await placement.database.write(ctx(), "test.hold-head", async (tx) => {
      await sql`SELECT revision FROM ${head} FOR UPDATE`.execute(tx);
      going ??= move(moving, destination, { at: replica }).then(
        () => "moved",
        (error: { kind: string }) => error.kind,
      );
      await until(async () => {
        const { rows } = await sql<{ killed: boolean }>`SELECT pg_terminate_backend(pid) AS killed
          FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()`.execute(tx);
        return rows.some(({ killed }) => killed);
      });
    });
    await going;
    await replica.close();
    const halves = [await on(moving.server), await on(moving.migration)];
    // The database layer may have begun anew on another connection; half a move there never is.
    const whole = (await going) === "moved" ? [[destination], [moving.source]] : [[moving.source], []];
    assert.deepEqual(halves, whole);
    await move(moving, destination);
    assert.deepEqual([await on(moving.server), await on(moving.migration)], [[destination], [moving.source]]);
    assert.deepEqual([await usage(moving.source), await usage(destination)], [1n, 1n]);
  });

  it("keeps an evacuation's source half until it is dropped, and not one that came back", async () => {
    const { server, source } = await booted();
    const destination = await host();
    const evacuate = () =>
      conductor().claimAllocations(ctx(), {
        operation: `${server}/evacuate`,
        fence: 2n,
        claim: { ...aClaim(server, destination), consumerGeneration: 1n },
        keepTrees: [source],
      });
    assert.equal((await evacuate()).consumerGeneration, 2n);
    assert.equal((await evacuate()).consumerGeneration, 2n);
    assert.deepEqual(await on(server), [destination, source].sort());
    const drop = (consumerGeneration: bigint) =>
      placement
        .as("cells")
        .releaseAllocations(ctx(), { consumerId: server, trees: [source], consumerGeneration });
    const stale = await refusal(drop(1n));
    assert.deepEqual(
      [stale.reason, stale.facts["given"], stale.facts["have"]],
      ["CONSUMER_GENERATION_CONFLICT", "1", "2"],
    );
    assert.deepEqual([await drop(2n), await drop(2n)], [{ released: true }, { released: false }]);
    assert.deepEqual([await on(server), await usage(source)], [[destination], 0n]);
  });

  it("drops the destination's half when an evacuation is undone", async () => {
    const { server, source } = await booted();
    const destination = await host();
    const operation = `${server}/evacuate`;
    const claim = { ...aClaim(server, destination), consumerGeneration: 1n };
    const evacuate = () =>
      conductor().claimAllocations(ctx(), { operation, fence: 2n, claim, keepTrees: [source] });
    await evacuate();
    const undone = { consumerId: server, operation, fence: 2n, ownClaimsOnly: true, trees: [destination] };
    assert.deepEqual(await conductor().releaseAllocations(ctx(), undone), { released: true });
    assert.deepEqual([await on(server), await usage(destination)], [[source], 0n]);
    assert.equal((await refusal(evacuate())).reason, "CLAIM_TOMBSTONED");
  });

  it("refuses claims that REST has replaced, also when nothing is held any more", async () => {
    const { server, source } = await booted();
    const set = (allocations: ReturnType<typeof aClaim>["allocations"], consumerGeneration: bigint) =>
      placement.as("gateway").setAllocations(ctx(), {
        consumers: [{ ...aClaim(server, source), allocations, consumerGeneration }],
      });
    await set(aClaim(server, source).allocations, 1n);
    await set([], 2n);
    const late = conductor().claimAllocations(ctx(), {
      claim: aClaim(server, source),
      operation: `${server}/boot`,
      fence: 1n,
    });
    assert.equal((await refusal(late)).reason, "CLAIM_TOMBSTONED");
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
});
