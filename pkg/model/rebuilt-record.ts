import type { InstanceRecord } from "../../gen/kilonova/cells/v1/instance_change.js";
import type { RebuildInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { Server } from "../../gen/kilonova/cells/v1/server.js";
import { ServerSpec } from "../../gen/kilonova/type/v1/server_spec.js";
import { snakeCase } from "../kernel/case.js";
import { fieldsOfUserPath } from "./user-change.js";

/** What a rebuild changes of the server itself. @param before  the server now */
export function rebuiltFields(
  before: Server,
  { server = Server.fromPartial({}), serverMask = [], spec, specMask = [] }: RebuildInput,
): Partial<Server> {
  const named = serverMask.flatMap((path) => fieldsOfUserPath(path) ?? fieldsAt(server, path));
  const set = picked(server, named);
  if (!specMask.includes("kernel") && !specMask.includes("ramdisk")) return set;
  const hostInfo = { ...before.hostInfo, kernelId: spec?.kernel?.id, ramdiskId: spec?.ramdisk?.id };
  return { ...set, hostInfo };
}

/** The record as it will be: what the host makes the guest from. */
export function rebuiltRecord(instance: InstanceRecord, input: RebuildInput): InstanceRecord {
  const server = Server.fromPartial(instance.server ?? {});
  const { spec = ServerSpec.fromPartial({}), specMask = [] } = input;
  return {
    ...instance,
    server: { ...server, ...rebuiltFields(server, input) },
    spec: {
      ...ServerSpec.fromPartial(instance.spec ?? {}),
      ...picked(
        spec,
        specMask.flatMap((path) => fieldsAt(spec, path)),
      ),
    },
  };
}

/** The field of a path, as a mask spells it. */
const fieldsAt = <M extends object>(message: M, path: string): (keyof M & string)[] =>
  (Object.keys(message) as (keyof M & string)[]).filter((field) => snakeCase(field) === path);

const picked = <M extends object>(from: M, fields: readonly (keyof M & string)[]): Partial<M> =>
  Object.fromEntries(fields.map((field) => [field, from[field]])) as Partial<M>;
