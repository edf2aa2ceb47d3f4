import type { Neutron } from "../../clients/neutron/ports.js";
import { parseOperationName } from "../../model/operation-name.js";
import { isMadeBy } from "../domain/ports.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { releasePorts } from "./release-ports.js";

/** Deletes the ports that came with the server and unbinds those that its user had made. */
export const releaseNetworks = ({ neutron }: { readonly neutron: Neutron }): Step => ({
  name: "release-networks",
  event: "conductor_release_networks",
  timeoutMs: 600_000,
  async run({ ctx, server, instance, operation }) {
    const ours = new Set(instance.ports.filter(({ createdByUs }) => createdByUs).map(({ portId }) => portId));
    const victim = parseOperationName(operation.preempts)?.operationId;
    await releasePorts(ctx, neutron, server.id, (port) => ours.has(port.id) || (victim !== undefined && isMadeBy(port, victim)));
    return done();
  },
});
