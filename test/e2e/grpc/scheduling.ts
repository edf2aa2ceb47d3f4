import assert from "node:assert/strict";
import { SchedulingServiceDefinition } from "../../../gen/kilonova/api/v1/scheduling_service.js";
import { call } from "../support/grpc-user.js";
import type { Stage } from "./stage.js";

/** Questions about hosts, which change nothing. */
export function scheduling(stage: Stage): void {
  it("explains where a server could be, and what a create would come to", async () => {
    const [member, admin] = [stage.demo, stage.admin].map((user) =>
      user.channel.client(SchedulingServiceDefinition),
    );
    assert.ok(member && admin);
    const server = await stage.demo.boot("explained");
    const { server: shown } = await stage.admin.servers.getServer(call(), {
      serverId: server.id,
      withHostInfo: true,
    });
    const own = shown?.hostInfo?.host ?? "";
    const { explanation } = await admin.explainServer(call(), { serverId: server.id });
    assert.deepEqual(
      [...(explanation?.acceptedHosts ?? [])].sort(),
      stage.hosts.filter((host) => host !== own).sort(),
    );
    assert.deepEqual(
      explanation?.refusals.map(({ rule, hosts, nearestHost }) => [rule, hosts, nearestHost]),
      [["ExcludedHosts", 1, own]],
    );
    const told = await member.explainServer(call(), { serverId: server.id });
    assert.deepEqual(
      [told.explanation?.hasHost, told.explanation?.hostsAccepted, told.explanation?.acceptedHosts],
      [true, 0, []],
    );

    const request = await stage.demo.request("imagined");
    assert.deepEqual(
      [
        (await member.whatIf(call(), { request })).explanation?.hasHost,
        (await member.whatIf(call(), { request: { ...request, minCount: 1000 } })).exceededQuotas.includes(
          "instances",
        ),
      ],
      [true, true],
    );
    assert.deepEqual(
      (await stage.demo.servers.listServers(call(), { filter: { nameRegex: "imagined" } })).servers,
      [],
    );
    await stage.demo.delete(server.id);
  });
}
