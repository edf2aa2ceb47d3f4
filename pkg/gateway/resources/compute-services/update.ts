import { UpdateComputeServiceRequest } from "../../../../gen/kilonova/api/v1/hosts_service.js";
import { parseUuid } from "../../../kernel/index.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { booleanOf, textOf } from "../../http/fields.js";
import type { Json, JsonObject } from "../../http/json.js";
import { isObject } from "../../http/json.js";
import { since } from "../../microversion/version.js";

const bad = (message: string): Error => GatewayErrors.BAD_REQUEST({ message });
const noSuchAction = (): Error => GatewayErrors.NOT_FOUND({ message: "Unknown action" });

/** What a change asks for and, in the older form, the part that its answer shows. */
export interface ServiceChange {
  readonly request: UpdateComputeServiceRequest;
  readonly shown: JsonObject;
}

/**
 * The older form: the path tells what to do, the body whom. @throws NOT_FOUND for another word, BAD_REQUEST
 * without what it needs
 */
export function changeByWord(request: ApiRequest): ServiceChange {
  const body = isObject(request.body) ? request.body : {};
  const target = { host: textOf(body, "host") ?? "", binary: textOf(body, "binary") ?? "" };
  const { change, shown } = wordChange(request, body);
  return {
    request: UpdateComputeServiceRequest.fromPartial({ ...target, ...change }),
    shown: { ...target, ...shown },
  };
}

interface WordChange {
  readonly change: { disabled?: boolean; disabledReason?: string; forcedDown?: boolean };
  readonly shown: Record<string, Json>;
}

/** Forcing down came later than the other words. */
const withForceDown = since("2.11");

function wordChange(request: ApiRequest, body: JsonObject): WordChange {
  const reason = textOf(body, "disabled_reason");
  switch (request.id) {
    case "enable":
      return { change: { disabled: false }, shown: { status: "enabled" } };
    case "disable":
      return { change: { disabled: true }, shown: { status: "disabled" } };
    case "disable-log-reason":
      if (reason === undefined) throw bad("Missing disabled reason field");
      return {
        change: { disabled: true, disabledReason: reason },
        shown: { status: "disabled", disabled_reason: reason },
      };
    case "force-down": {
      if (!request.has(withForceDown)) throw noSuchAction();
      const forcedDown = booleanOf(body, "forced_down");
      if (forcedDown === undefined) throw bad("Missing forced_down field");
      return { change: { forcedDown }, shown: { forced_down: forcedDown } };
    }
    default:
      throw noSuchAction();
  }
}

/** The newer form: the path tells whom, the body what. @throws BAD_REQUEST */
export function changeById(request: ApiRequest): UpdateComputeServiceRequest {
  const serviceId = parseUuid(request.id);
  if (serviceId === undefined) throw bad(`Invalid uuid ${request.id}`);
  const body = isObject(request.body) ? request.body : {};
  const [status, disabledReason, forcedDown] = [
    textOf(body, "status"),
    textOf(body, "disabled_reason"),
    booleanOf(body, "forced_down"),
  ];
  if (disabledReason !== undefined && status !== "disabled") {
    throw bad("Specifying disabled_reason with status of 'enabled' (or without a status) is invalid.");
  }
  if (status === undefined && forcedDown === undefined)
    throw bad("No updates were requested. Fields 'status' or 'forced_down' should be specified.");
  return UpdateComputeServiceRequest.fromPartial({
    serviceId,
    ...(status === undefined ? {} : { disabled: status === "disabled" }),
    ...(disabledReason === undefined ? {} : { disabledReason }),
    ...(forcedDown === undefined ? {} : { forcedDown }),
  });
}
