import assert from "node:assert/strict";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { powerStateNumber, powerStateOf, vmStateOf, vmStateWord } from "./instance-states.js";
import { aDeclaration, aForm } from "./testing/a-declaration.js";
import { mayBecome, transitionsOf } from "./transitions.js";
import { anyOperation } from "./operation-declaration.js";
import { CLOUD, operationName, operationNameOf, parseOperationName } from "./operation-name.js";
import { fromTimestamp, toTimestamp } from "./wire-time.js";

describe("words of states", () => {
  it("reads back what it writes, for every vm_state", () => {
    for (const state of Object.values(VmState))
      if (state !== 0) assert.equal(vmStateOf(vmStateWord(state)), state);
  });
  it("reads back the number of every power state", () => {
    for (const state of Object.values(PowerState))
      if (state !== 0) assert.equal(powerStateOf(powerStateNumber(state)), state);
    assert.equal(powerStateOf(2), undefined);
  });
  it("lets nothing leave DELETED", () =>
    assert.equal(mayBecome(VmState.VM_STATE_DELETED, VmState.VM_STATE_ACTIVE), false));
  it("lets a server stop whose guest ended, running or paused", () => {
    const { VM_STATE_ACTIVE, VM_STATE_PAUSED, VM_STATE_STOPPED, VM_STATE_SOFT_DELETED } = VmState;
    for (const from of [VM_STATE_ACTIVE, VM_STATE_PAUSED]) assert.ok(mayBecome(from, VM_STATE_STOPPED));
    assert.ok(!mayBecome(VM_STATE_SOFT_DELETED, VM_STATE_STOPPED));
  });
  it("lets what an operator had to look after end where it would have ended", () => {
    const { VM_STATE_ERROR, VM_STATE_RESIZED, VM_STATE_SHELVED, VM_STATE_SHELVED_OFFLOADED } = VmState;
    for (const to of [VM_STATE_RESIZED, VM_STATE_SHELVED, VM_STATE_SHELVED_OFFLOADED])
      assert.ok(mayBecome(VM_STATE_ERROR, to), vmStateWord(to));
    assert.ok(!mayBecome(VmState.VM_STATE_ACTIVE, VmState.VM_STATE_BUILDING));
    assert.ok(!mayBecome(VM_STATE_ERROR, VmState.VM_STATE_BUILDING));
  });
  it("lets a server go where an operation ends that starts from its state, and nowhere else", () => {
    const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_PAUSED: PAUSED, VM_STATE_STOPPED: STOPPED } = VmState;
    const forms = { plain: { ...aForm, vmStates: [ACTIVE] }, other: { ...aForm, vmStates: [STOPPED] } };
    const legal = transitionsOf([anyOperation(aDeclaration("k", { forms, ends: [PAUSED] }))]);
    assert.deepEqual(
      [ACTIVE, STOPPED, PAUSED].map((from) => [...(legal.get(from) ?? [])]),
      [[PAUSED], [PAUSED], []],
    );
    assert.equal(mayBecome(ACTIVE, PAUSED), true);
    assert.equal(mayBecome(STOPPED, PAUSED), false);
  });
});

describe("operation names", () => {
  const a = "6f70656e-7374-4163-8b00-000000000001",
    b = "6f70656e-7374-4163-8b00-000000000002";
  it("are read back", () =>
    assert.deepEqual(parseOperationName(operationName(a, b)), {
      subject: { kind: "server", id: a },
      serverId: a,
      operationId: b,
    }));
  for (const [subject, name] of [
    [{ kind: "host", id: a }, `operations/hosts/${a}/${b}`],
    [CLOUD, `operations/cloud/${b}`],
  ] as const)
    it(`are read back for the ${subject.kind}`, () => {
      assert.equal(operationNameOf(subject, b), name);
      assert.deepEqual(parseOperationName(name), { subject, serverId: "", operationId: b });
    });
  for (const bad of [
    "",
    "operations/x/y",
    `operations/${a}`,
    `operations/${a}/${b}/c`,
    `ops/${a}/${b}`,
    `operations/hosts/${b}`,
    `operations/hosts/x/${b}`,
    `operations/servers/${a}/${b}`,
    `operations/hosts/${a}/${b}/${b}`,
    `operations/cloud/${a}/${b}`,
    "operations/cloud/x",
  ])
    it(`refuses '${bad}'`, () => assert.equal(parseOperationName(bad), undefined));
});

describe("timestamps", () => {
  for (const at of [0n, 1_767_225_600_123_456n, -1n])
    it(`keeps ${at}`, () => assert.equal(fromTimestamp(toTimestamp(at)), at));
});
