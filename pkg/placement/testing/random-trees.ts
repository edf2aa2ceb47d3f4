import type { ProviderDetails } from "../domain/model.js";
import { SHARING_TRAIT } from "../domain/model.js";
import type { CandidateRequest, RequestGroup } from "../index/request.js";
import { aCandidateRequest, aGroup, aProvider, conditions } from "./builders.js";
import type { chance } from "./builders.js";

type Chance = ReturnType<typeof chance>;
const CLASSES = ["VCPU", "VGPU", "NIC"];
const TRAITS = ["X", "Y"];

/** One or two small trees, now and then with a provider that shares. */
export function randomTrees(rng: Chance): ProviderDetails[] {
  const all: ProviderDetails[] = [];
  const stock = (): Record<string, number> =>
    Object.fromEntries(CLASSES.filter(() => rng.below(2) === 0).map((name) => [name, 1 + rng.below(4)]));
  const traits = (): string[] => TRAITS.filter(() => rng.below(3) === 0);
  for (let tree = 0; tree < 1 + rng.below(2); tree++) {
    const root = `t${tree}`;
    const ids = [root];
    const aggregates = rng.below(2) === 0 ? ["agg"] : [];
    all.push(aProvider(root, stock(), { traits: traits(), aggregates }));
    for (let child = 0; child < rng.below(5); child++) {
      const id = `${root}-${child}`;
      all.push(aProvider(id, stock(), { parent: rng.pick(ids), root, traits: traits() }));
      ids.push(id);
    }
  }
  if (rng.below(3) === 0)
    all.push(aProvider("shared", stock(), { traits: [SHARING_TRAIT, ...traits()], aggregates: ["agg"] }));
  return all;
}

/** A request of a few groups, many of them alike. */
export function randomRequest(rng: Chance): CandidateRequest {
  const required = () => (rng.below(3) === 0 ? conditions(rng.pick(["X", "Y", "!X", "in:X,Y"])) : []);
  const kinds = [1, 2].map(() => ({
    name: rng.pick(CLASSES),
    amount: 1 + rng.below(3),
    required: required(),
  }));
  const groups: RequestGroup[] = [];
  for (let number = 0; number < 1 + rng.below(4); number++) {
    const { name, amount, required: traits } = rng.pick(kinds);
    groups.push(aGroup(`_${number}`, { [name]: amount }, { required: traits }));
  }
  if (rng.below(2) === 0)
    groups.push(aGroup("", { VCPU: 1, [rng.pick(CLASSES)]: 1 + rng.below(2) }, { required: required() }));
  const suffixes = groups.flatMap(({ suffix }) => (suffix === "" ? [] : [suffix]));
  const sameSubtree = rng.below(2) === 0 ? [[...suffixes.slice(0, 2 + rng.below(2)), "_top"]] : [];
  if (sameSubtree.length > 0) groups.push(aGroup("_top", {}, { required: required() }));
  return aCandidateRequest(groups, { sameSubtree, groupPolicy: rng.pick(["none", "isolate"]) });
}
