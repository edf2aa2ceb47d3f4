import { E } from "../errors.js";
import { formatCidr, parseCidr } from "./addresses.js";
import type { SecurityGroupRule } from "./model.js";
import { ipProtocols } from "../../../model/ip-protocols.js";

/** A rule as asked for. */
export type RuleWish = Pick<
  SecurityGroupRule,
  | "direction"
  | "ethertype"
  | "protocol"
  | "portRangeMin"
  | "portRangeMax"
  | "remoteIpPrefix"
  | "remoteGroupId"
>;

const WITH_PORTS = new Set([6, 17, 33, 132, 136]);
const ICMP = new Set([1, 58]);

/**
 * Checks a rule and brings it into one form: `any` is no protocol, prefixes without host bits.
 * @throws SECURITY_GROUP_RULE_INVALID, INVALID_INPUT
 */
export function checkRule(wish: RuleWish): RuleWish {
  const protocol = readProtocol(wish.protocol);
  const number = protocol === null ? undefined : (ipProtocols.get(protocol) ?? Number(protocol));
  if (number === 58 && wish.ethertype === "IPv4")
    throw invalid("The protocol ipv6-icmp needs the ethertype IPv6.");
  checkPorts(wish.portRangeMin, wish.portRangeMax, number);
  if (wish.remoteIpPrefix !== null && wish.remoteGroupId !== null)
    throw invalid("Only remote_ip_prefix or remote_group_id may be provided.");
  return {
    ...wish,
    protocol,
    remoteIpPrefix: wish.remoteIpPrefix === null ? null : readPrefix(wish.remoteIpPrefix, wish.ethertype),
  };
}

/** What makes two rules of a group the same. */
export const ruleIdentity = (rule: RuleWish): string =>
  JSON.stringify([
    rule.direction,
    rule.ethertype,
    rule.protocol === null ? null : (ipProtocols.get(rule.protocol) ?? Number(rule.protocol)),
    rule.portRangeMin,
    rule.portRangeMax,
    rule.remoteIpPrefix,
    rule.remoteGroupId,
  ]);

function readProtocol(text: string | null): string | null {
  const name = text?.toLowerCase() ?? "";
  if (name === "" || name === "any" || name === "-1") return null;
  if (ipProtocols.has(name) || (/^\d{1,3}$/.test(name) && Number(name) <= 255)) return name;
  throw invalid(
    `Security group rule protocol ${text} not supported. Only protocol names and integers from 0 to 255 are.`,
  );
}

function checkPorts(min: number | null, max: number | null, protocol: number | undefined): void {
  if (min === null && max === null) return;
  if (protocol === undefined) throw invalid("Must also specify protocol if port range is given.");
  if (ICMP.has(protocol)) {
    if (min === null)
      throw invalid("ICMP code (port-range-max) is provided but ICMP type (port-range-min) is missing.");
    for (const value of [min, max])
      if (value !== null && (value < 0 || value > 255))
        throw invalid("Invalid value for ICMP: must be between 0 and 255.");
    return;
  }
  if (!WITH_PORTS.has(protocol)) throw invalid("This protocol has no ports.");
  if (min === null || max === null || min < 1 || max > 65_535 || min > max)
    throw invalid("For TCP/UDP protocols, port_range_min must be <= port_range_max, both from 1 to 65535");
}

function readPrefix(text: string, ethertype: "IPv4" | "IPv6"): string {
  const cidr = parseCidr(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`);
  if (!cidr) throw E.INVALID_INPUT({ problem: `'${text}' is not a valid IP subnet` });
  if ((cidr.version === 4) !== (ethertype === "IPv4"))
    throw invalid(`Conflicting value ethertype ${ethertype} for CIDR ${text}`);
  return formatCidr(cidr);
}

const invalid = (problem: string): Error => E.SECURITY_GROUP_RULE_INVALID({ problem });
