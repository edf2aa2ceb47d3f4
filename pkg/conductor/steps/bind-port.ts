import { z } from "zod";
import { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { AttachInterfaceInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { Neutron, PortInfo } from "../../clients/neutron/ports.js";
import { KilonovaError } from "../../kernel/errors.js";
import { parseOperationName } from "../../model/operation-name.js";
import { instancePort, isMadeBy, portName } from "../domain/ports.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import { ownerOf, takeOver } from "./allocate-networks.js";
import type { NetworkPorts } from "./allocate-networks.js";
import { hostOf } from "./host-of.js";
import { makePort } from "./make-port.js";
import { untilNoneLeft } from "./look-again.js";
import { unbind } from "./release-ports.js";

type BindCall = StepCall<AttachInterfaceInput>;

/** The port that the step has bound; as an encoded `InstancePort`, too. */
export const boundPort = outputOf("bind-port", z.object({ portId: z.string(), port: z.string() }));

/** As its host needs it. */
export const decodedPort = ({ port }: { readonly port: string }): InstancePort =>
  InstancePort.decode(Buffer.from(port, "base64"));

const operationIdOf = ({ operation }: StepCall): string =>
  parseOperationName(operation.name)?.operationId ?? "";

/** A port that the server had before the operation is none of its business. */
const hadBefore = ({ instance, input }: BindCall): boolean =>
  instance.ports.some(({ portId }) => portId === input.portId);

/**
 * Makes a port on the server's host, or takes over one of its user's. It is found again by the operation's
 * id, as those of a boot are. The record gets it once the host has it.
 */
export const bindPort = (ports: NetworkPorts): Step<AttachInterfaceInput> => ({
  name: boundPort.step,
  unfenced: true,
  event: "",
  timeoutMs: 120_000,

  async run(call) {
    const { portId, tag } = call.input;
    if (portId !== "" && hadBefore(call)) return fail(ConductorErrors.PORT_IN_USE({ port: portId }));
    const host = hostOf(call);
    const port =
      portId === "" ? await made(call, ports.neutron, host) : await takeOver(call, ports, portId, host);
    if (port.vifType === "binding_failed")
      return fail(ConductorErrors.PORT_BINDING_FAILED({ port: port.id }));
    const facts = await ports.factsOf(call.ctx, port.networkId);
    const bound = instancePort(port, facts, {
      createdByUs: portId === "",
      tag,
      vifModel: call.instance.spec?.image?.properties.get("hw_vif_model") ?? "",
    });
    const encoded = Buffer.from(InstancePort.encode(bound).finish()).toString("base64");
    return done({ portId: bound.portId, port: encoded });
  },

  async undo(call) {
    const { portId } = call.input;
    if (portId === "") await deleteMade(call, ports.neutron);
    else if (!hadBefore(call)) await free(call, ports.neutron, portId);
    return undefined;
  },
});

async function made(call: BindCall, neutron: Neutron, host: string): Promise<PortInfo> {
  const { networkId, fixedIp } = call.input;
  const name = portName(operationIdOf(call), 0);
  const present = call.firstStart
    ? []
    : await neutron.listPorts(call.ctx, { deviceIds: [call.server.id], name });
  return (
    present[0] ??
    makePort(call.ctx, neutron, {
      name,
      networkId,
      projectId: call.server.projectId,
      deviceId: call.server.id,
      deviceOwner: ownerOf(call),
      bindingHostId: host,
      ...(fixedIp === "" ? {} : { fixedIps: [{ ipAddress: fixedIp }] }),
    })
  );
}

const deleteMade = (call: BindCall, neutron: Neutron): Promise<void> =>
  untilNoneLeft(
    "The network",
    async () => {
      const found = await neutron.listPorts(call.ctx, { deviceIds: [call.server.id] });
      return found.filter((port) => isMadeBy(port, operationIdOf(call)));
    },
    (made) => Promise.all(made.map(({ id }) => neutron.deletePort(call.ctx, id))),
  );

/** Frees a port of the user's, unless it is gone or another device's. */
export async function free({ ctx, server }: StepCall, neutron: Neutron, portId: string): Promise<void> {
  try {
    const { deviceId } = await neutron.getPort(ctx, portId);
    if (deviceId === server.id) await unbind(ctx, neutron, portId);
  } catch (error) {
    if (!(error instanceof KilonovaError) || error.kind !== "missing") throw error;
  }
}
