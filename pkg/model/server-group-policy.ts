import { ServerGroupPolicy } from "../../gen/kilonova/api/v1/server_groups_service.js";

const WORDS = [
  [ServerGroupPolicy.SERVER_GROUP_POLICY_AFFINITY, "affinity"],
  [ServerGroupPolicy.SERVER_GROUP_POLICY_ANTI_AFFINITY, "anti-affinity"],
  [ServerGroupPolicy.SERVER_GROUP_POLICY_SOFT_AFFINITY, "soft-affinity"],
  [ServerGroupPolicy.SERVER_GROUP_POLICY_SOFT_ANTI_AFFINITY, "soft-anti-affinity"],
] as const;

/** Nova's word for a policy; "" for none. */
export const groupPolicyWord = (policy: ServerGroupPolicy): string =>
  WORDS.find(([value]) => value === policy)?.[1] ?? "";

/** The policy of one of Nova's words; UNSPECIFIED for any other text. */
export const groupPolicyOf = (word: string): ServerGroupPolicy =>
  WORDS.find(([, known]) => known === word)?.[0] ?? ServerGroupPolicy.SERVER_GROUP_POLICY_UNSPECIFIED;
