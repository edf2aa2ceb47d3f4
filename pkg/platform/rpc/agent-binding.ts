import { BinaryReader } from "@bufbuild/protobuf/wire";
import { AgentBinding } from "../../../gen/kilonova/type/v1/options.js";
import type { MethodDefinition } from "./types.js";

const AGENT_BINDING_FIELD = 50010;

/**
 * Reads `option (kilonova.type.v1.agent_binding)`: whom an agent may speak for; undefined when not declared.
 */
export function agentBinding(method: MethodDefinition): AgentBinding | undefined {
  const raw = method.options._unknownFields?.[(AGENT_BINDING_FIELD << 3) | 2]?.[0];
  return raw === undefined ? undefined : AgentBinding.decode(new BinaryReader(raw).bytes());
}
