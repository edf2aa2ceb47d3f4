import { WatchEventsRequest } from "../../../gen/kilonova/api/v1/operations_service.js";
import { bindingOf } from "../crypto/hashes.js";

/**
 * What a resume token is bound to: whose servers are watched, and which. What is told of them is not part of
 * it: a watch may go on with operations that began without.
 * @param projectId  "" for all
 */
export function watchBinding(
  { allProjects, serverIds }: Pick<WatchEventsRequest, "allProjects" | "serverIds">,
  projectId: string,
): string {
  const bound = WatchEventsRequest.encode(
    WatchEventsRequest.fromPartial({ allProjects, serverIds: [...serverIds].sort() }),
  ).finish();
  return `${bindingOf(bound)}${bindingOf(Buffer.from(projectId))}`;
}
