import assert from "node:assert/strict";
import { Server } from "../../../gen/kilonova/api/v1/server.js";
import { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { Server as StoredServer } from "../../../gen/kilonova/cells/v1/server.js";
import { serveTestGateway } from "../../gateway/testing/test-gateway.js";
import { fakeTokens } from "../../gateway/testing/test-tokens.js";
import { anApi, member } from "../testing/an-api.js";

const SERVERS = 1000;
const idOf = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;

/** How often records and views were decoded while `run` went on. */
async function decodes(run: () => Promise<void>): Promise<{ records: number; views: number }> {
  const [records, views] = [StoredServer.decode, Server.decode];
  const counted = { records: 0, views: 0 };
  StoredServer.decode = (...args) => {
    counted.records += 1;
    return records.apply(StoredServer, args);
  };
  Server.decode = (...args) => {
    counted.views += 1;
    return views.apply(Server, args);
  };
  try {
    await run();
  } finally {
    StoredServer.decode = records;
    Server.decode = views;
  }
  return counted;
}

describe("a list of 1,000 servers over REST", function () {
  this.timeout(30_000);

  for (const [what, config] of [
    ["remembered", {}],
    ["not remembered", { serverCacheBytes: 0 }],
  ] as const)
    it(`decodes each record and each view once, when they are ${what}`, async () => {
      const api = anApi({ config });
      api.cells.setServices("cell1", [
        HostService.fromPartial({ id: "s1", number: 1n, binary: "nova-compute", host: "h1", up: true }),
      ]);
      for (let index = 0; index < SERVERS; index += 1)
        api.cells.put("cell1", { id: idOf(index), hostInfo: { host: "h1" } as never });
      const gateway = await serveTestGateway(api.channel, { tokens: fakeTokens({ member }) });
      try {
        const list = async (): Promise<void> => {
          const { status, json } = await gateway.ask("/v2.1/servers/detail?limit=1000", { version: "2.100" });
          assert.equal(status, 200);
          assert.equal((json as { servers: unknown[] }).servers.length, SERVERS);
        };
        assert.deepEqual(await decodes(list), { records: SERVERS, views: SERVERS });
        const warm = await decodes(list);
        assert.deepEqual(
          warm,
          what === "remembered" ? { records: 0, views: 0 } : { records: SERVERS, views: 0 },
        );
      } finally {
        await gateway.close();
      }
    });
});
