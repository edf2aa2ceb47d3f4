import assert from "node:assert/strict";
import { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { AttachInterfaceInput, RefreshInterfacesInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import { rootCtx } from "../../kernel/index.js";
import attachInterface from "./attach-interface.js";
import type { CommandHost } from "./command.js";
import detachInterface from "./detach-interface.js";
import refreshInterfaces from "./refresh-interfaces.js";
import restoreInterface from "./restore-interface.js";

/** What a host was told, in order. */
function scene({ defined = true, able = true } = {}) {
  const log: string[] = [];
  const note = async (...words: readonly string[]): Promise<void> => {
    log.push(words.join(" "));
  };
  const host = {
    driver: {
      inspect: async () => (defined ? {} : undefined),
      ...(able
        ? {
            attachInterface: (_ctx: unknown, uuid: string, nic: { portId: string; model: string }) =>
              note("attach", uuid, nic.portId, nic.model),
            detachInterface: (_ctx: unknown, uuid: string, portId: string) => note("detach", uuid, portId),
          }
        : {}),
    },
    plugPorts: (_ctx: unknown, uuid: string, hostname: string, ports: readonly InstancePort[]) =>
      note("plug", uuid, hostname, ...ports.map(({ portId }) => portId)),
    unplugPorts: (_ctx: unknown, uuid: string, portIds: readonly string[]) =>
      note("unplug", uuid, ...portIds),
    interfaceOf: (_uuid: string, { portId }: InstancePort) => ({ portId, model: "virtio" }),
    powerState: async () => PowerState.POWER_STATE_RUNNING,
  } as unknown as CommandHost<"attachInterface" | "detachInterface">;
  const call = { ctx: rootCtx({ requestId: "req-nic" }), serverId: "s", host, tell: () => {} };
  return { log, call };
}
const port = InstancePort.fromPartial({ portId: "p" });
const input = AttachInterfaceInput.fromPartial({ hostname: "vm", port });

describe("commands about interfaces", () => {
  it("attach: the wire first, then the device", async () => {
    const { log, call } = scene();
    const { powerState } = await attachInterface.run(call, input);
    assert.deepEqual(log, ["plug s vm p", "attach s p virtio"]);
    assert.equal(powerState, PowerState.POWER_STATE_RUNNING);
    await assert.rejects(attachInterface.run(call, AttachInterfaceInput.fromPartial({})), {
      reason: "INVALID_ARGUMENT",
    });
  });

  it("detach: the device first, then the wire, which goes also where there is no guest", async () => {
    const { log, call } = scene();
    await detachInterface.run(call, { portId: "p" });
    assert.deepEqual(log, ["detach s p", "unplug s p"]);
    const gone = scene({ defined: false });
    await detachInterface.run(gone.call, { portId: "p" });
    assert.deepEqual(gone.log, ["unplug s p"]);
  });

  it("restore: as attach, unless there is no guest", async () => {
    const { log, call } = scene();
    await restoreInterface.run(call, input);
    assert.deepEqual(log, ["plug s vm p", "attach s p virtio"]);
    const gone = scene({ defined: false });
    await restoreInterface.run(gone.call, input);
    assert.deepEqual(gone.log, []);
  });

  it("refresh: nothing passes a port that is gone before the guest is asked for it", async () => {
    const news = RefreshInterfacesInput.fromPartial({ hostname: "vm", ports: [port], gone: ["q", "r"] });
    const { log, call } = scene();
    await refreshInterfaces.run(call, news);
    assert.deepEqual(log, ["unplug s q r", "detach s q", "detach s r", "plug s vm p"]);
    const unable = scene({ able: false });
    await refreshInterfaces.run(unable.call, news);
    assert.deepEqual(unable.log, ["unplug s q r", "plug s vm p"]);
  });

  it("refresh: touches nothing that it is not told of", async () => {
    const { log, call } = scene();
    await refreshInterfaces.run(call, RefreshInterfacesInput.fromPartial({ hostname: "vm" }));
    assert.deepEqual(log, []);
  });
});
