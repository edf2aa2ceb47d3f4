import { isCanonicalUuid } from "../kernel/ids.js";

/** What an operation can be about. Its lanes and fences are the subject's own. */
export type SubjectKind = "server" | "host" | "cloud";

/**
 * One server, one host, or the cloud. `id` is unique among all of them: the server's uuid; the uuid of the
 * host's compute node, which is also that of its hypervisor and resource provider; "cloud".
 */
export interface Subject {
  readonly kind: SubjectKind;
  readonly id: string;
}

/** The only subject of its kind. */
export const CLOUD: Subject = { kind: "cloud", id: "cloud" };

/** What an operation's name says. */
export interface OperationIds {
  readonly subject: Subject;
  /** The subject's uuid when that is a server; else "". */
  readonly serverId: string;
  readonly operationId: string;
}

/** What names of all operations of a subject begin with, the last slash included. */
export function operationPrefix({ kind, id }: Subject): string {
  if (kind === "cloud") return "operations/cloud/";
  return kind === "host" ? `operations/hosts/${id}/` : `operations/${id}/`;
}

/** `operations/<server uuid>/<operation uuid>` */
export const operationName = (serverId: string, operationId: string): string =>
  operationNameOf({ kind: "server", id: serverId }, operationId);

/** As `operationName`; for hosts `operations/hosts/<host uuid>/<uuid>`, else `operations/cloud/<uuid>`. */
export const operationNameOf = (subject: Subject, operationId: string): string =>
  `${operationPrefix(subject)}${operationId}`;

/** @returns undefined when the text is no operation's name */
export function parseOperationName(name: string): OperationIds | undefined {
  const parts = name.split("/");
  const operationId = parts.pop() ?? "";
  const subject = subjectIn(parts);
  if (subject === undefined || !isCanonicalUuid(operationId)) return undefined;
  return { subject, serverId: subject.kind === "server" ? subject.id : "", operationId };
}

function subjectIn([head, first = "", second, ...rest]: readonly string[]): Subject | undefined {
  if (head !== "operations" || rest.length > 0) return undefined;
  if (second !== undefined)
    return first === "hosts" && isCanonicalUuid(second) ? { kind: "host", id: second } : undefined;
  if (first === CLOUD.id) return CLOUD;
  return isCanonicalUuid(first) ? { kind: "server", id: first } : undefined;
}
