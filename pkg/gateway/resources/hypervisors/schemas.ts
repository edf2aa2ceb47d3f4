import { limitNode } from "../../http/paging.js";
import { between, since } from "../../microversion/version.js";
import { boolean, hostName, parameter, query, text } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

const strict = since("2.53");
const withServers = parameter("with_servers", boolean, { span: strict, single: true });

export const listHypervisorsQuery: Node = query(strict, [
  parameter("limit", limitNode, { span: between("2.33", "2.52") }),
  parameter("limit", limitNode, { span: strict, single: true }),
  parameter("marker", text(), { span: between("2.33", "2.52") }),
  parameter("marker", text(), { span: strict, single: true }),
  parameter("hypervisor_hostname_pattern", hostName, { span: strict, single: true }),
  withServers,
]);
export const showHypervisorQuery: Node = query(strict, [withServers]);
