import assert from "node:assert/strict";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import {
  AgentServiceDefinition,
  GetGuestDiagnosticsResponse,
} from "../../../gen/kilonova/compute/v1/agent_service.js";
import { PowerState, ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import { bindPart } from "../../platform/rpc/index.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001";
const servers = (api: TestApi) => api.channel.client(ServersServiceDefinition);

/** A server on a host whose agent answers this. */
function onHost(answer: object, address = "agent:h1"): TestApi {
  const api = anApi();
  api.cells.setServices("cell1", [
    HostService.fromPartial({ id: "s1", number: 1n, binary: "nova-compute", host: "h1", up: true, address }),
  ]);
  api.network.listen("agent:h1", [
    bindPart(AgentServiceDefinition, {
      getGuestDiagnostics: async (_ctx, { host, serverId }) => {
        assert.deepEqual([host, serverId], ["h1", A]);
        return GetGuestDiagnosticsResponse.fromPartial(answer);
      },
    }),
  ]);
  api.cells.put("cell1", { id: A, hostInfo: ServerHostInfo.fromPartial({ host: "h1" }) });
  return api;
}

describe("getServerDiagnostics", () => {
  const ask = (api: TestApi) => servers(api).getServerDiagnostics(as(administrator), { serverId: A });

  it("answers what the agent of the server's host knows", async () => {
    const diagnostics = { powerState: PowerState.POWER_STATE_RUNNING, driver: "libvirt", uptimeSeconds: 7n };
    const answer = await ask(onHost({ powerState: PowerState.POWER_STATE_RUNNING, diagnostics }));
    assert.deepEqual([answer.driver, answer.uptimeSeconds], ["libvirt", 7n]);
  });

  for (const [word, powerState] of [
    ["pending", PowerState.POWER_STATE_NOSTATE],
    ["paused", PowerState.POWER_STATE_PAUSED],
    ["shutdown", PowerState.POWER_STATE_SHUTDOWN],
    ["crashed", PowerState.POWER_STATE_CRASHED],
    ["suspended", PowerState.POWER_STATE_SUSPENDED],
  ] as const)
    it(`refuses a guest whose power state is ${word}, in Nova's words`, () =>
      assert.rejects(ask(onHost({ powerState })), {
        reason: "INVALID_STATE",
        message: `Cannot 'get_diagnostics' instance ${A} while it is in power state ${word}`,
      }));

  it("is not ready without a host, and not available from one that is away", async () => {
    const api = anApi();
    api.cells.put("global", { id: A });
    await assert.rejects(ask(api), { reason: "NOT_READY", message: `Instance ${A} is not ready` });
    await assert.rejects(ask(onHost({}, "")), { kind: "unavailable" });
    await assert.rejects(ask(onHost({}, "agent:elsewhere")), { kind: "unavailable" });
  });

  it("is for administrators only", () =>
    assert.rejects(servers(onHost({})).getServerDiagnostics(as(member), { serverId: A }), {
      reason: "FORBIDDEN",
    }));
});

describe("getServerTopology", () => {
  it("shows its owner the guest's nodes, and administrators where they are", async () => {
    const api = anApi();
    const node = {
      memoryMib: 1024n,
      vcpus: [0, 1],
      siblings: [{ cpus: [0, 1] }],
      hostNode: 3,
      cpuPinning: new Map([[0, 5]]),
    };
    api.cells.put("cell1", { id: A, numaTopology: { nodes: [node], pageSizeKib: 4n } });
    const asked = async (who: typeof member) => servers(api).getServerTopology(as(who), { serverId: A });
    const seen = { memoryMib: 1024n, vcpus: [0, 1], siblings: [{ vcpus: [0, 1] }] };
    const own = await asked(member);
    assert.deepEqual(own.nodes, [{ ...seen, hostNode: undefined, cpuPinning: new Map() }]);
    assert.equal(own.pageSizeKib, 4n);
    assert.deepEqual((await asked(administrator)).nodes, [
      { ...seen, hostNode: 3, cpuPinning: node.cpuPinning },
    ]);
  });

  it("has no nodes for a guest that asked for none, and hides from its owner where they would be", async () => {
    const api = onHost({});
    const asked = async (who: typeof member) => servers(api).getServerTopology(as(who), { serverId: A });
    const own = await asked(member);
    assert.deepEqual([own.nodes, own.pageSizeKib], [[], undefined]);
    assert.deepEqual(own.hiddenFields, ["nodes.host_node", "nodes.cpu_pinning"]);
    assert.deepEqual((await asked(administrator)).hiddenFields, []);
  });
});
