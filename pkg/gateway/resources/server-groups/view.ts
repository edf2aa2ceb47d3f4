import type { ServerGroup } from "../../../../gen/kilonova/api/v1/server_groups_service.js";
import { groupPolicyWord } from "../../../model/server-group-policy.js";
import type { JsonObject } from "../../http/json.js";
import { since, until } from "../../microversion/version.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";

type ServerGroupForm = "full";
type ServerGroupEnv = Record<string, never>;

const rules = ({ maxServerPerHost }: ServerGroup): JsonObject =>
  maxServerPerHost === undefined ? {} : { max_server_per_host: maxServerPerHost };

const fields: readonly Field<ServerGroup, ServerGroupEnv, ServerGroupForm>[] = [
  { name: "id", value: (g) => g.id },
  { name: "name", value: (g) => g.name },
  { name: "policies", span: until("2.63"), value: (g) => [groupPolicyWord(g.policy)] },
  { name: "policy", span: since("2.64"), value: (g) => groupPolicyWord(g.policy) },
  { name: "rules", span: since("2.64"), value: rules },
  { name: "members", value: (g) => g.memberIds },
  { name: "metadata", span: until("2.63"), value: () => ({}) },
  { name: "project_id", span: since("2.13"), value: (g) => g.projectId },
  { name: "user_id", span: since("2.13"), value: (g) => g.userId },
];

export const serverGroupView = (): View<ServerGroup, ServerGroupEnv> => new View("full", fields);
