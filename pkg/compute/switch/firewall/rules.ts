import type { Cidr, IpHex } from "../packet/address.js";
import { cidrContains, parseCidr } from "../packet/address.js";
import { ipProtocol } from "../packet/ip.js";
import type { SecurityRule } from "../port-config.js";
import type { Direction, Flow } from "./flow.js";

/** Says whether an address belongs to a member of a group. */
export type IsMember = (groupId: string, ip: IpHex) => boolean;

/** Rules of one port, ready to be asked. */
export interface RuleSet {
  allows(direction: Direction, flow: Flow, isMember: IsMember): boolean;
}

interface CompiledRule extends SecurityRule {
  readonly cidr: Cidr | undefined;
  readonly version: 4 | 6;
}

/** @throws on a remoteCidr that is none */
export function compileRules(rules: readonly SecurityRule[]): RuleSet {
  const compile = (direction: Direction): CompiledRule[] =>
    rules
      .filter((rule) => rule.direction === direction)
      .map((rule) => ({
        ...rule,
        version: rule.ethertype === "IPv4" ? 4 : 6,
        cidr: rule.remoteCidr === undefined ? undefined : parseCidr(rule.remoteCidr),
      }));
  const byDirection = { ingress: compile("ingress"), egress: compile("egress") };
  return {
    allows: (direction, flow, isMember) =>
      byDirection[direction].some((rule) => matches(rule, flow, isMember)),
  };
}

function matches(rule: CompiledRule, flow: Flow, isMember: IsMember): boolean {
  return (
    rule.version === flow.version &&
    protocolMatches(rule, flow) &&
    detailMatches(rule, flow) &&
    (rule.cidr === undefined || cidrContains(rule.cidr, flow.remoteIp)) &&
    (rule.remoteGroupId === undefined || isMember(rule.remoteGroupId, flow.remoteIp))
  );
}

/** A rule for `icmp` (1) on IPv6 means ICMPv6. @source Neutron, legacy names of protocols in rules */
function protocolMatches(rule: CompiledRule, flow: Flow): boolean {
  if (rule.protocol === undefined || rule.protocol === flow.protocol) return true;
  return rule.version === 6 && rule.protocol === ipProtocol.icmp && flow.protocol === ipProtocol.icmpv6;
}

function detailMatches(rule: CompiledRule, flow: Flow): boolean {
  if (flow.icmp !== undefined) {
    return (
      (rule.portRangeMin === undefined || rule.portRangeMin === flow.icmp.type) &&
      (rule.portRangeMax === undefined || rule.protocol === undefined || rule.portRangeMax === flow.icmp.code)
    );
  }
  if (rule.portRangeMin === undefined && rule.portRangeMax === undefined) return true;
  if (flow.destinationPort === undefined) return false;
  return (
    flow.destinationPort >= (rule.portRangeMin ?? 0) && flow.destinationPort <= (rule.portRangeMax ?? 65_535)
  );
}
