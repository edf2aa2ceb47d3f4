import { icmpType } from "../packet/icmp.js";
import { icmpv6Type } from "../packet/icmpv6.js";

/**
 * Question → answer. The other messages are part of no conversation. @source Linux nf_conntrack_proto_icmp,
 * nf_conntrack_proto_icmpv6
 */
const answers = {
  4: [
    [icmpType.echo, icmpType.echoReply],
    [icmpType.timestamp, icmpType.timestampReply],
    [icmpType.information, icmpType.informationReply],
    [icmpType.addressMask, icmpType.addressMaskReply],
  ],
  6: [[icmpv6Type.echo, icmpv6Type.echoReply]],
} as const;

/**
 * Above all identifiers, so that the end that asks and the end that answers are never mistaken for each
 * other.
 */
const answeringEnd = 0x1_0000;

export interface IcmpEnds {
  readonly isAnswer: boolean;
  readonly source: number;
  readonly destination: number;
}

/**
 * Gives questions and answers ends as TCP and UDP have them: the one that asks is known by its identifier,
 * the one that answers by what it is asked for. A question in the other direction, though of the same
 * identifier, is therefore another conversation.
 * @returns undefined for a message that is neither
 */
export function icmpEnds(version: 4 | 6, type: number, identifier: number): IcmpEnds | undefined {
  for (const [question, answer] of answers[version]) {
    if (type === question)
      return { isAnswer: false, source: identifier, destination: answeringEnd + question };
    if (type === answer) return { isAnswer: true, source: answeringEnd + question, destination: identifier };
  }
  return undefined;
}
