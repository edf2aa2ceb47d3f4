import { limitNode, offsetNode } from "../../http/paging.js";
import { between, since, until } from "../../microversion/version.js";
import {
  MAX_INT,
  array,
  choice,
  integer,
  name,
  object,
  optional,
  parameter,
  query,
  required,
  text,
} from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

const hard = choice("anti-affinity", "affinity");
const all = choice("anti-affinity", "affinity", "soft-anti-affinity", "soft-affinity");
const one = { minItems: 1, maxItems: 1, uniqueItems: true };

export const createServerGroupBody: Node = object([
  required(
    "server_group",
    object([
      required("name", name),
      required("policies", array(hard, one), until("2.14")),
      required("policies", array(all, one), between("2.15", "2.63")),
      required("policy", all, since("2.64")),
      optional(
        "rules",
        object([optional("max_server_per_host", integer({ min: 1, max: MAX_INT, pattern: "^[0-9]*$" }))]),
        since("2.64"),
      ),
    ]),
  ),
]);

export const listServerGroupsQuery: Node = query(since("2.75"), [
  parameter("all_projects", text()),
  parameter("limit", limitNode),
  parameter("offset", offsetNode),
]);
