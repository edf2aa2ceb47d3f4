import {
  AttachInterfaceRequest,
  DetachInterfaceRequest,
  Interface,
} from "../../../gen/kilonova/api/v1/interfaces_service.js";
import type {
  AttachInterfaceResponse,
  DetachInterfaceResponse,
  GetInterfaceRequest,
  GetInterfaceResponse,
  ListInterfacesRequest,
  ListInterfacesResponse,
} from "../../../gen/kilonova/api/v1/interfaces_service.js";
import { parseUuid } from "../../kernel/index.js";
import { anyOperation } from "../../model/operation-declaration.js";
import attachKind from "../../model/operations/attach-interface.js";
import detachKind from "../../model/operations/detach-interface.js";
import { fittingRows } from "../../model/page-bytes.js";
import { durationMs } from "../../model/wire-time.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { rowsOf } from "../domain/page.js";
import { InterfaceErrors } from "../errors.js";
import { ifFound, portOf, portsOf, presentInterface } from "../interfaces/ports-of.js";
import { wantedInterface } from "../interfaces/wanted.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { clientToken, id, ip, paging, tag, uuid } from "../shape/common.js";
import { given, optional } from "../shape/shape.js";
import { beginWith } from "./begin-operation.js";
import { behindState } from "./behind-state.js";
import { endOfWait, timeout, untilDone } from "./wait-operation.js";

/** Lists a server's interfaces by their ports' ids. */
export const listInterfaces = (parts: Parts): Guarded<ListInterfacesRequest, ListInterfacesResponse> =>
  guarded({ ...paging, serverId: id }, parts.servers.about(), async (ctx, request, loaded) => {
    const pages = sealedPaging(parts.tokens, ["interfaces", loaded.server.id]);
    const after = pages.open(request.pageToken);
    const ports = (await portsOf(parts, ctx, loaded)).filter((port) => port.id > after);
    const rows = ports.slice(0, rowsOf(request.pageSize)).map((port) => presentInterface(port, loaded));
    const interfaces = fittingRows(rows, (row) => Interface.encode(row).finish().length);
    return {
      interfaces: [...interfaces],
      nextPageToken: interfaces.length < ports.length ? pages.seal(interfaces.at(-1)?.portId ?? "") : "",
    };
  });

/** Reads one interface of a server. */
export const getInterface = (parts: Parts): Guarded<GetInterfaceRequest, GetInterfaceResponse> =>
  guarded({ serverId: id, portId: id }, parts.servers.about(), async (ctx, { portId }, loaded) => ({
    interface: presentInterface(await portOf(parts, ctx, loaded, idOf(portId)), loaded),
  }));

/** Begins to put an interface into a server. */
export const attachInterface = (parts: Parts): Guarded<AttachInterfaceRequest, AttachInterfaceResponse> =>
  guarded(
    {
      serverId: id,
      clientToken,
      networkId: given(uuid),
      portId: given(uuid),
      fixedIp: given(ip),
      tag: given(tag),
      wait: optional(timeout),
    },
    parts.servers.about(),
    async (ctx, request, loaded) => {
      const kind = anyOperation(attachKind);
      const body = AttachInterfaceRequest.encode({ ...request, clientToken: "", wait: undefined }).finish();
      const call = { method: "AttachInterface", body };
      const { operation } = await beginWith(parts, ctx, kind, { request, call }, () =>
        behindState(ctx, kind, loaded, async () => ({
          input: { ...(await wantedInterface(parts, ctx, request, loaded)), tag: request.tag ?? "" },
        })),
      );
      const endMs = endOfWait(parts, ctx, request.wait === undefined ? 0 : durationMs(request.wait));
      const ended =
        request.wait === undefined || operation.done
          ? operation
          : await untilDone(parts, ctx, operation, endMs);
      const outcome = ended.result?.outcome;
      const portId = outcome?.$case === "interface" ? outcome.value.portId : request.portId;
      const made = portId === undefined ? undefined : await ifFound(parts.neutron.getPort(ctx, idOf(portId)));
      return {
        operation: ended,
        interface: made === undefined ? undefined : presentInterface(made, loaded, request.tag ?? ""),
      };
    },
  );

/** Begins to take an interface out of a server. */
export const detachInterface = (parts: Parts): Guarded<DetachInterfaceRequest, DetachInterfaceResponse> =>
  guarded({ serverId: id, clientToken, portId: id }, parts.servers.about(), async (ctx, request, loaded) => {
    const portId = idOf(request.portId);
    const kind = anyOperation(detachKind);
    const body = DetachInterfaceRequest.encode({ ...request, clientToken: "" }).finish();
    const call = { method: "DetachInterface", body };
    const { operation } = await beginWith(parts, ctx, kind, { request, call }, () =>
      behindState(ctx, kind, loaded, () => {
        if (!loaded.record.ports.some((port) => port.portId === portId))
          throw InterfaceErrors.PORT_NOT_FOUND({ port: request.portId });
        return { input: { portId } };
      }),
    );
    return { operation };
  });

const idOf = (portId: string): string => parseUuid(portId) ?? portId;
