// The candidate library: pure, in memory, fed by changes. Used by the service itself and by schedulers over
// their own feed.
export { Bitset } from "./bitset.js";
export { ProviderIndex } from "./provider-index.js";
export { findCandidates, searchCandidates } from "./candidates.js";
export type { Found } from "./candidates.js";
export { noCombination, shortfallOf } from "./explain.js";
export type { Shortfall } from "./explain.js";
export type { Candidate, CandidateRequest, Condition, RequestGroup } from "./request.js";
export type { Holding, Inventory, ProviderDetails } from "../domain/model.js";
