import assert from "node:assert/strict";
import { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { InitiatorKind, OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../gen/kilonova/cells/v1/server.js";
import { catalogue } from "./operation-catalogue.js";
import {
  exampleInput,
  exampleSecrets,
  metadataOf,
  resultOf,
  subjectOf,
  theServer,
} from "./operation-declaration.js";
import { presentOperation } from "./operation-view.js";

const shown = (stored: object) =>
  presentOperation(StoredOperation.fromPartial({ projectId: "p1", ...stored } as never));
const result = { outcome: { $case: "server", value: { id: "s", generation: 7n } } } as const;

describe("what users see of an operation", () => {
  it("says on whose behalf it began, without roles, and nothing of the cloud's own services", () => {
    const { INITIATOR_KIND_PROJECT, INITIATOR_KIND_OPERATOR, INITIATOR_KIND_SYSTEM } = InitiatorKind;
    const roles = ["admin"];
    const cases = [
      [
        { kind: "user", userId: "u1", projectId: "p1", roles },
        { kind: INITIATOR_KIND_PROJECT, userId: "u1", projectId: "p1" },
      ],
      [
        { kind: "user", userId: "root", projectId: "adm", roles },
        { kind: INITIATOR_KIND_OPERATOR, userId: "root", projectId: "adm" },
      ],
      [
        { kind: "service", service: "conductor", host: "h1", userId: "nova" },
        { kind: INITIATOR_KIND_SYSTEM },
      ],
      [undefined, { kind: INITIATOR_KIND_SYSTEM }],
    ] as const;
    for (const [actor, initiator] of cases) assert.deepEqual(shown({ actor }).initiator, initiator);
  });

  it("has a result when it succeeded, and a successor when it was pre-empted, and not before", () => {
    const stored = { result, successor: "operations/s/o", preempts: "operations/s/v" };
    for (const [name, state] of Object.entries(OperationState)) {
      const one = shown({ ...stored, state });
      assert.deepEqual(one.result, name === "OPERATION_STATE_SUCCEEDED" ? result : undefined, name);
      assert.equal(one.successor, name === "OPERATION_STATE_PREEMPTED" ? "operations/s/o" : undefined, name);
    }
  });

  it("has Nova's name of the action, and what was asked", () => {
    const metadata = { asked: { $case: "rebootServer", value: { hard: true } } } as const;
    const one = shown({ action: "reboot", metadata, generation: 3n });
    assert.deepEqual([one.action, one.metadata, one.generation], ["reboot", metadata, 3n]);
  });
});

const MAKE_IMAGES = ["server.create-image", "server.create-backup"];

describe("what a declaration shows of an operation", () => {
  it("is what was asked, of all kinds whose requests say more than which server", () => {
    const asked = catalogue.all.flatMap((one) => {
      const metadata = metadataOf(one, exampleInput(one));
      return metadata === undefined ? [] : [`${one.kind}: ${metadata.asked?.$case}`];
    });
    assert.deepEqual(asked.sort(), [
      "cloud.cache-images: cacheImages",
      "host.cache-images: cacheImages",
      "server.attach-interface: attachInterface",
      "server.attach-volume: attachVolume",
      "server.boot: createServer",
      "server.create-backup: createServerBackup",
      "server.create-image: createServerImage",
      "server.detach-interface: detachInterface",
      "server.detach-volume: detachVolume",
      "server.extend-volume: extendVolume",
      "server.lock: lockServer",
      "server.reboot: rebootServer",
      "server.rebuild: rebuildServer",
      "server.rescue: rescueServer",
      "server.reset-state: resetServerState",
      "server.resize: resizeServer",
      "server.shelve: shelveServer",
      "server.swap-volume: swapVolume",
    ]);
    for (const one of catalogue.all)
      assert.ok(
        exampleInput(one).length === 0 || one.metadata !== undefined,
        `${one.kind} hides what it was asked`,
      );
  });

  it("holds no secret", () => {
    const secret = catalogue.all.filter((one) => one.secrets !== undefined);
    assert.ok(secret.length > 0);
    for (const one of secret) {
      const text = Object.values(one.example?.secrets ?? {}).join();
      assert.ok(text !== "" && Buffer.from(exampleSecrets(one)).includes(text), one.kind);
      const print = JSON.stringify([metadataOf(one, exampleInput(one)) ?? null]);
      assert.ok(!print.includes(text), one.kind);
    }
  });

  it("is the server that is left behind, an interface or volume, or nothing where none is", () => {
    const attached: Readonly<Record<string, object>> = {
      "server.attach-interface": { $case: "interface", value: { serverId: "s", portId: "" } },
      "server.attach-volume": { $case: "volume", value: { serverId: "s", volumeId: "", device: "" } },
    };
    const attachedBy = (kind: string) => (kind in attached ? { outcome: attached[kind] } : undefined);
    const server = Server.fromPartial({ id: "s", generation: 7n });
    const others = new Set(["server.delete", ...MAKE_IMAGES]);
    for (const one of catalogue.all)
      assert.deepEqual(
        resultOf(one, server, []),
        others.has(one.kind)
          ? undefined
          : subjectOf(one) !== "server" || one.lane === "ports" || one.lane === "volumes"
            ? attachedBy(one.kind)
            : result,
        one.kind,
      );
    assert.deepEqual(theServer({ server, outputOf: () => undefined }), result.outcome);
  });

  it("is the image that was made, where one is", () => {
    const output = Buffer.from('{"imageId":"i"}');
    const { steps } = StoredOperation.fromPartial({
      steps: [{ name: "create-image", state: "done", output }],
    });
    for (const kind of MAKE_IMAGES) {
      const declaration = catalogue.find(kind);
      assert.ok(declaration);
      const made = resultOf(declaration, Server.fromPartial({ id: "s" }), steps);
      assert.deepEqual(made?.outcome, { $case: "image", value: { id: "i" } });
    }
  });

  it("can be made of what a step has left, the newest one, if it finished", () => {
    const declaration = {
      result: ({ outputOf }: { outputOf(step: string): unknown }) => ({
        $case: "server" as const,
        value: { id: JSON.stringify(outputOf("upload") ?? null), generation: 0n },
      }),
    };
    const server = Server.fromPartial({ id: "s" });
    const step = (state: string, output: string) =>
      StoredOperation.fromPartial({ steps: [{ name: "upload", state, output: Buffer.from(output) }] }).steps;
    const made = (...steps: ReturnType<typeof step>) => {
      const outcome = resultOf(declaration, server, steps)?.outcome;
      return outcome?.$case === "server" ? outcome.value.id : "";
    };
    assert.equal(made(...step("undone", '"a"'), ...step("done", '{"imageId":"b"}')), '{"imageId":"b"}');
    assert.equal(made(...step("done", '"a"'), ...step("undone", '"b"')), "null");
    assert.equal(made(), "null");
  });
});
