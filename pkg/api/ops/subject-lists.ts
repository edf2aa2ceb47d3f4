import type { ListOperationsRequest } from "../../../gen/kilonova/api/v1/operations_service.js";
import { CommonErrors, parseUuid } from "../../kernel/index.js";
import { catalogue } from "../../model/operation-catalogue.js";
import type { OperationCatalogue } from "../../model/operation-catalogue.js";
import { subjectOf } from "../../model/operation-declaration.js";
import type { RuleName } from "../../policy/index.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** A list of what happens to a host or to the cloud. */
export interface SubjectList {
  /** As asked for; undefined for the cloud. */
  readonly host: string | undefined;
  /** Kinds that the caller may begin, and so see. */
  readonly kinds: readonly string[];
  /** Whoever may see one kind may ask; otherwise the refusal names its rule. */
  readonly decides: RuleName;
}

/**
 * What a request asks of hosts or of the cloud; undefined when it is about servers.
 * @param kinds  all that there are
 * @throws INVALID_REQUEST
 */
export function subjectListIn(
  ctx: Call,
  { serverId, host, cloud, withResumeToken }: ListOperationsRequest,
  kinds: Pick<OperationCatalogue, "all"> = catalogue,
): SubjectList | undefined {
  if (host === undefined && !cloud) return undefined;
  if ([serverId !== undefined, host !== undefined, cloud].filter(Boolean).length > 1)
    throw ApiErrors.INVALID_REQUEST({
      field: cloud ? "cloud" : "host",
      problem: "only one of server_id, host and cloud may be given",
    });
  if (withResumeToken)
    throw ApiErrors.INVALID_REQUEST({
      field: "with_resume_token",
      problem: "no watch tells of operations of hosts or of the cloud",
    });
  const subject = cloud ? "cloud" : "host";
  const declared = kinds.all.filter((declaration) => subjectOf(declaration) === subject);
  const seen = declared.filter(({ rule }) => ctx.rights.allows(rule));
  const [first = declared[0]] = seen;
  return { host, kinds: seen.map(({ kind }) => kind), decides: first?.rule ?? ctx.rights.deciding };
}

/**
 * The uuid of a host's hypervisor. What is one is not looked up: the host may be deleted.
 * @throws COMPUTE_HOST_NOT_FOUND; UNAVAILABLE naming the cells that may have it
 */
export async function hostIdOf(parts: Parts, ctx: Call, host: string): Promise<string> {
  const id = parseUuid(host);
  if (id !== undefined) return id;
  const cells = await parts.databases.hostingCells(ctx);
  const { answers, unreachable } = await parts.guard.fanOut(ctx, cells, (inner, cell) =>
    parts.hosts.listHosts(inner, { cell, host, recordsOnly: true }),
  );
  const [node] = answers.flatMap(({ value }) => value.nodes);
  if (node !== undefined) return node.id;
  if (unreachable.length > 0) throw CommonErrors.UNAVAILABLE({ what: `Cell ${unreachable.join(", ")}` });
  throw ApiErrors.COMPUTE_HOST_NOT_FOUND({ host });
}
