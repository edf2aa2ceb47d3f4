import assert from "node:assert/strict";
import {
  InstanceAction,
  InstanceActionEvent,
  InstanceActionsServiceDefinition,
} from "../../../gen/kilonova/api/v1/limits_service.js";
import { serveTestGateway } from "../../gateway/testing/test-gateway.js";
import { fakeTokens } from "../../gateway/testing/test-tokens.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001";
const TOLD = "No valid host was found. There are not enough hosts available. 1 of 1 host: down.";
const event = (traceback: string, details: string): InstanceActionEvent =>
  InstanceActionEvent.fromPartial({ event: "e", result: "Error", host: "h1", traceback, details });

/** An api whose server has one action, that failed twice. */
function anApiWithAction(): TestApi {
  const api = anApi();
  api.cells.put("cell1", { id: A });
  const events = [event("NO_VALID_HOST", TOLD), event("HYPERVISOR_FAILED", "h1: no electricity")];
  api.cells.putAction(
    "cell1",
    InstanceAction.fromPartial({ serverId: A, requestId: "req-1", action: "create", events }),
  );
  return api;
}

describe("events of an action that failed", () => {
  it("tell the owner why there was no host, and nothing else that hosts say", async () => {
    const client = anApiWithAction().channel.client(InstanceActionsServiceDefinition);
    const asked = { serverId: A, requestId: "req-1" };
    const own = await client.getInstanceAction(as(member), asked);
    assert.deepEqual(
      own.action?.events.map(({ details, host, traceback }) => [details, host, traceback]),
      [
        [TOLD, undefined, undefined],
        [undefined, undefined, undefined],
      ],
    );
    const all = await client.getInstanceAction(as(administrator), asked);
    assert.deepEqual(
      all.action?.events.map(({ details }) => details),
      [TOLD, "h1: no electricity"],
    );
  });

  for (const [version, expected] of [
    ["2.83", [undefined, undefined]],
    ["2.84", [TOLD, undefined]],
  ] as const)
    it(`tell it over REST at ${version} as far as the version has details`, async () => {
      const gateway = await serveTestGateway(anApiWithAction().channel, { tokens: fakeTokens({ member }) });
      const { json } = await gateway.ask(`/v2.1/servers/${A}/os-instance-actions/req-1`, { version });
      await gateway.close();
      const { events } = (json as { instanceAction: { events: { details?: string }[] } }).instanceAction;
      assert.deepEqual(
        events.map(({ details }) => details),
        expected,
      );
    });
});
