export type {
  Channel,
  Client,
  Handler,
  Handlers,
  MethodBinding,
  RequestOf,
  ResponseOf,
  ServiceBinding,
  ServiceDefinition,
} from "./types.js";
export { agentBinding } from "./agent-binding.js";
export { bindContract, bindPart, bindService, operationRules, policyRules } from "./bind.js";
export { LocalNetwork } from "./local.js";
export { startRpcServer } from "./server.js";
export type { RpcServer, RpcServerOptions } from "./server.js";
export { connectRpc } from "./client.js";
export type { ConnectOptions } from "./client.js";
export type { PipelineOptions } from "./pipeline.js";
export { encodeKnown } from "./encode.js";
export { EncodedAnswer, rawField } from "./raw-field.js";
export type { WithRaw } from "./raw-field.js";
export type { Admit, Caller } from "./door.js";
export { defaultPublicLimits, publicLimitsConfig } from "./config.js";
export { codeNames } from "./status.js";
export type { PublicErrors } from "./status.js";
export { RpcErrors } from "./errors.js";
