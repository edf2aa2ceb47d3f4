import { isCanonicalUuid } from "../kernel/ids.js";

/** The two ids in an operation's name. */
export interface OperationIds {
  readonly serverId: string;
  readonly operationId: string;
}

/** `operations/<server uuid>/<operation uuid>` */
export const operationName = (serverId: string, operationId: string): string =>
  `operations/${serverId}/${operationId}`;

/** @returns undefined when the text is no operation's name */
export function parseOperationName(name: string): OperationIds | undefined {
  const [head, serverId = "", operationId = "", ...rest] = name.split("/");
  if (head !== "operations" || rest.length > 0 || !isCanonicalUuid(serverId) || !isCanonicalUuid(operationId))
    return undefined;
  return { serverId, operationId };
}
