import assert from "node:assert/strict";
import { fakeCinder } from "../../pkg/clients/cinder/testing/fake-cinder.js";
import { fakeGlance } from "../../pkg/clients/glance/testing/fake-glance.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { LocalNetwork } from "../../pkg/platform/rpc/index.js";
import { Metrics, noTracer } from "../../pkg/platform/telemetry/index.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { silentLogger } from "../../pkg/kernel/index.js";
import { buildConductor, conductorConfig } from "../../pkg/conductor/index.js";
import type { OperationKind } from "../../pkg/conductor/engine/kind.js";
import attachVolume, { ATTACH_OFFLOADED } from "../../pkg/model/operations/attach-volume.js";
import bootServer, { BOOT_WITH_VOLUMES } from "../../pkg/model/operations/boot-server.js";
import createServerImage, { IMAGE_OF_VOLUMES } from "../../pkg/model/operations/create-server-image.js";
import deleteServer from "../../pkg/model/operations/delete-server.js";
import detachVolume, { DETACH_OFFLOADED } from "../../pkg/model/operations/detach-volume.js";
import migrateServer from "../../pkg/model/operations/migrate-server.js";
import rebuildServer, { REBUILD_BY_REIMAGE } from "../../pkg/model/operations/rebuild-server.js";
import resizeServer from "../../pkg/model/operations/resize-server.js";
import revertServerResize from "../../pkg/model/operations/revert-server-resize.js";
import shelveServer, { SHELVE_ON_VOLUMES } from "../../pkg/model/operations/shelve-server.js";
import softDeleteServer, { SOFT_DELETE_MOVED } from "../../pkg/model/operations/soft-delete-server.js";
import unshelveServer, { UNSHELVE_OFFLOADED } from "../../pkg/model/operations/unshelve-server.js";
import { cloudScenario, movedScenario, offloadedScenario, volumesScenario } from "./cloud-scenario.js";
import { pointsOf, runMatrix, undoPointsOf } from "./matrix.js";

/** The kinds of a conductor that reaches nothing: what the registry says is what has to be tried. */
function registeredKinds() {
  const channel = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() }).connect(
    "nowhere",
    { service: "conductor", host: "" },
  );
  return buildConductor({
    cells: channel,
    scheduler: channel,
    placement: channel,
    neutron: fakeNeutron(),
    cinder: fakeCinder(),
    glance: fakeGlance(),
    connectAgent: () => channel,
    owner: "",
    clock: systemClock,
    log: silentLogger,
    config: conductorConfig.parse({}),
  }).kinds;
}

/** The versions of kinds that are about servers whose root disk is a volume. */
const WITH_VOLUMES: ReadonlyMap<string, number> = new Map([
  [attachVolume.kind, ATTACH_OFFLOADED],
  [bootServer.kind, BOOT_WITH_VOLUMES],
  [createServerImage.kind, IMAGE_OF_VOLUMES],
  [detachVolume.kind, DETACH_OFFLOADED],
  [rebuildServer.kind, REBUILD_BY_REIMAGE],
  [shelveServer.kind, SHELVE_ON_VOLUMES],
  [unshelveServer.kind, UNSHELVE_OFFLOADED],
]);
/** Kinds whose one version is also tried with such servers: volumes go with them. */
const ALSO_WITH_VOLUMES: ReadonlySet<string> = new Set([
  resizeServer.kind,
  migrateServer.kind,
  revertServerResize.kind,
]);
const isWithVolumes = ({ kind, version }: OperationKind): boolean => WITH_VOLUMES.get(kind) === version;
const isTriedWithVolumes = (kind: OperationKind): boolean =>
  isWithVolumes(kind) || ALSO_WITH_VOLUMES.has(kind.kind);

/** For good, and for a while: what a server has left at another host goes with either. */
const isDeletion = ({ kind, version }: OperationKind): boolean =>
  kind === deleteServer.kind || (kind === softDeleteServer.kind && version === SOFT_DELETE_MOVED);

/** What builds a server anew that is off its host; from its image, unless its root disk is a volume. */
const isUnshelving = ({ kind, version }: OperationKind): boolean =>
  kind === unshelveServer.kind && version === UNSHELVE_OFFLOADED;

const report = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

describe("crash matrix of all kinds", function () {
  // Minutes on a machine at rest, and three times that on one that is not.
  this.timeout(1_800_000);
  const only = process.env["KILONOVA_CRASH_KINDS"]?.split(",");
  const wanted = registeredKinds().filter(({ kind }) => only === undefined || only.includes(kind));
  const kinds = wanted.filter((kind) => !isWithVolumes(kind));
  before(() => assert.ok(kinds.length > 0, `no kind is called ${only?.join(" or ")}`));

  it("ends as the undisturbed run, wherever the process is killed", async () => {
    const tried = await runMatrix(cloudScenario, pointsOf(kinds), false, report);
    const steps = kinds.reduce((sum, kind) => sum + kind.steps.length, 0);
    report(`  ${tried} points: ${kinds.length} kinds, ${steps} steps, before and after each commit`);
    assert.equal(tried, steps * 2);
  });

  it("ends as the undisturbed run when it is killed while an agent tells how far it is", async () => {
    const points = [1, 2, 3].flatMap((nth) =>
      kinds
        .filter(({ kind }) => kind === "server.boot")
        .map(({ kind }) => ({ kind, step: "build-guest", when: "progress" as const, nth })),
    );
    assert.equal(
      await runMatrix(cloudScenario, points, false, report),
      only === undefined ? 3 : points.length,
    );
  });

  it("ends as the undisturbed run where servers are built with volumes", async () => {
    const points = pointsOf(wanted.filter(isTriedWithVolumes));
    assert.equal(await runMatrix(volumesScenario, points, false, report), points.length);
  });

  it("ends as the undisturbed run where a server is deleted that was resized", async () => {
    const points = pointsOf(wanted.filter(isDeletion));
    assert.equal(await runMatrix(movedScenario, points, false, report), points.length);
  });

  it("ends as the undisturbed run where an offloaded server comes back from its image", async () => {
    const points = pointsOf(wanted.filter(isUnshelving));
    assert.equal(await runMatrix(offloadedScenario, points, false, report), points.length);
  });

  it("is undone as undisturbed where an offloaded server comes back from its image", async () => {
    const points = undoPointsOf(wanted.filter(isUnshelving));
    assert.equal(await runMatrix(offloadedScenario, points, true, report), points.length);
  });

  it("is undone as undisturbed where servers are built with volumes", async () => {
    const points = undoPointsOf(wanted.filter(isTriedWithVolumes));
    assert.equal(await runMatrix(volumesScenario, points, true, report), points.length);
  });

  it("is undone as undisturbed when the host fails, wherever the process is killed", async () => {
    const points = undoPointsOf(kinds);
    const tried = await runMatrix(cloudScenario, points, true, report);
    const undos = kinds.reduce(
      (sum, kind) => sum + kind.steps.filter(({ undo }) => undo !== undefined).length,
      0,
    );
    report(`  ${tried} points: ${undos} undos, before and after each commit`);
    assert.equal(tried, undos * 2);
  });
});
