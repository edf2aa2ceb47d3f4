import assert from "node:assert/strict";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { Server } from "../../../gen/kilonova/api/v1/server.js";
import { HostStatus, ServerFault, ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import type { Actor } from "../../kernel/index.js";
import { administrator, anApi, as, member, stranger } from "../testing/an-api.js";
import type { TestApi } from "../testing/an-api.js";

const id = "00000000-0000-4000-8000-000000000001";
const onHost = ServerHostInfo.fromPartial({ host: "h1", node: "n1", instanceName: "instance-1" });
const fault = ServerFault.fromPartial({ code: 500, message: "m", details: "secret" });

for (const serverCacheBytes of [0, 1_000_000]) {
  describe(`servers of lists, with ${serverCacheBytes === 0 ? "nothing" : "everything"} remembered`, () => {
    let api: TestApi;
    const list = async (actor: Actor = member, withHostInfo = true): Promise<Server[]> =>
      (
        await api.channel
          .client(ServersServiceDefinition)
          .listServers(as(actor), { allProjects: actor === administrator, withHostInfo })
      ).servers;
    const service = (init: Partial<HostService>): void => {
      api.cells.setServices("cell1", [
        HostService.fromPartial({
          id: "s1",
          number: 1n,
          binary: "nova-compute",
          host: "h1",
          availabilityZone: "west",
          up: true,
          ...init,
        }),
      ]);
    };
    beforeEach(() => {
      api = anApi({ config: { serverCacheBytes, hostListTtlMs: 0 } });
      service({});
      api.cells.put("cell1", { id, hostInfo: onHost, fault });
    });

    it("are the same however often they are asked for", async () => {
      const first = await list();
      assert.equal(first.length, 1);
      assert.deepEqual(await list(), first);
    });

    it("show a change at once, also one that did not count the generation up", async () => {
      await list();
      api.cells.put("cell1", { id, hostInfo: onHost, name: "renamed" });
      assert.deepEqual(
        (await list()).map(({ name, generation, fault: shown }) => [name, generation, shown]),
        [["renamed", 1n, undefined]],
      );
      api.cells.put("cell1", { id, name: "without a host" });
      assert.deepEqual(
        (await list()).map(({ name, hostId }) => [name, hostId]),
        [["without a host", undefined]],
      );
    });

    it("show each caller what policy lets through to him, whoever asked before", async () => {
      for (const actor of [administrator, member, stranger, administrator, member]) {
        const expected =
          actor === stranger
            ? []
            : actor === administrator
              ? [["h1", HostStatus.HOST_STATUS_UP, "secret"]]
              : [[undefined, HostStatus.HOST_STATUS_UNSPECIFIED, undefined]];
        assert.deepEqual(
          (await list(actor)).map((s) => [s.hostInfo?.host, s.hostStatus, s.fault?.details]),
          expected,
        );
      }
      assert.deepEqual(
        (await list(administrator, false)).map((s) => [s.hostInfo, s.hostStatus]),
        [[undefined, HostStatus.HOST_STATUS_UNSPECIFIED]],
      );
    });

    it("follow the state of their host", async () => {
      const states = [
        {},
        { disabled: true },
        { forcedDown: true },
        { up: false },
        { availabilityZone: "east" },
        {},
      ];
      const shown: unknown[] = [];
      for (const state of states) {
        service(state);
        shown.push(...(await list(administrator)).map((s) => [s.hostStatus, s.availabilityZone]));
      }
      const {
        HOST_STATUS_UP: up,
        HOST_STATUS_MAINTENANCE: maintenance,
        HOST_STATUS_DOWN: down,
        HOST_STATUS_UNKNOWN: unknown,
      } = HostStatus;
      assert.deepEqual(shown, [
        [up, "west"],
        [maintenance, "west"],
        [down, "west"],
        [unknown, "west"],
        [up, "east"],
        [up, "west"],
      ]);
    });
  });
}
