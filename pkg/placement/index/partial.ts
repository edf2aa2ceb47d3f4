import type { Plan } from "./plan.js";
import type { KindView, TreeView } from "./tree-view.js";

/**
 * A partial answer in one tree: the providers chosen for the first demands of the search's order, and what
 * they leave for the others.
 */
export class Partial {
  readonly #plan: Plan;
  readonly #tree: TreeView;
  readonly #left: Float64Array;
  /** By provider: how many suffixed groups it serves. */
  readonly #groups: Int32Array;
  /** By trait wanted together: how many chosen providers have it. */
  readonly #traits: Int32Array;
  /** By same_subtree: providers chosen for its groups. */
  readonly #inSubtree: number[][];
  /** By depth: the chosen provider. */
  readonly chosen: number[] = [];

  constructor(plan: Plan, tree: TreeView) {
    this.#plan = plan;
    this.#tree = tree;
    this.#left = tree.room.slice();
    this.#groups = new Int32Array(tree.size);
    this.#traits = new Int32Array(plan.collective.length);
    this.#inSubtree = plan.sameSubtree.map(() => []);
  }

  get depth(): number {
    return this.chosen.length;
  }

  /** Whether one more demand of the kind goes onto a provider. */
  fits(kind: KindView, at: number): boolean {
    if (kind.suffixed && this.#plan.isolate && this.#groups[at] !== 0) return false;
    const row = at * this.#tree.classCount;
    for (const [number, amount] of kind.amounts) if (amount > (this.#left[row + number] ?? 0)) return false;
    return true;
  }

  /** How often demands of this size still go onto a provider; `alone` when it may serve one group only. */
  capacity(at: number, amounts: KindView["amounts"], alone: boolean): number {
    let most = alone ? (this.#groups[at] === 0 ? 1 : 0) : Infinity;
    for (const [number, amount] of amounts)
      most = Math.min(most, Math.floor((this.#left[at * this.#tree.classCount + number] ?? 0) / amount));
    return most;
  }

  push(at: number): void {
    this.#count(at, 1);
    for (const number of this.#kindAt(this.depth)?.inSubtrees ?? []) this.#inSubtree[number]?.push(at);
    this.chosen.push(at);
  }

  pop(): void {
    const at = this.chosen.pop();
    if (at === undefined) return;
    this.#count(at, -1);
    for (const number of this.#kindAt(this.depth)?.inSubtrees ?? []) this.#inSubtree[number]?.pop();
  }

  #kindAt(depth: number): KindView | undefined {
    return this.#tree.kinds[this.#tree.order[depth]?.kind ?? -1];
  }

  #count(at: number, sign: 1 | -1): void {
    const kind = this.#kindAt(this.depth);
    if (kind === undefined) return;
    const row = at * this.#tree.classCount;
    for (const [number, amount] of kind.amounts)
      this.#left[row + number] = (this.#left[row + number] ?? 0) - sign * amount;
    if (kind.suffixed) this.#groups[at] = (this.#groups[at] ?? 0) + sign;
    else
      for (const trait of this.#tree.has[at] ?? []) this.#traits[trait] = (this.#traits[trait] ?? 0) + sign;
  }

  /** Kinds of the demands that are still open, with how many there are. */
  open(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (let depth = this.depth; depth < this.#tree.order.length; depth++) {
      const kind = this.#tree.order[depth]?.kind ?? 0;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    return counts;
  }

  /** Whether traits wanted together are there, or can still come. */
  traitsPossible(open: ReadonlyMap<number, number>): boolean {
    for (const [trait, count] of this.#traits.entries()) {
      if (count > 0) continue;
      const kinds = [...open.keys()].flatMap((number) => this.#tree.kinds[number] ?? []);
      const comes = kinds.some(
        ({ suffixed, options }) => !suffixed && options.some((at) => this.#tree.has[at]?.includes(trait)),
      );
      if (!comes) return false;
    }
    return true;
  }

  /**
   * Providers that may be the top of a same_subtree: above or equal to what was chosen for its groups, chosen
   * itself or still to be chosen, and with something for each open group below.
   */
  tops(subtree: number, open: ReadonlyMap<number, number>): number[] {
    const { kinds, above } = this.#tree;
    const chosen = this.#inSubtree[subtree] ?? [];
    const waiting = [...open.keys()].flatMap((number) => {
      const kind = kinds[number];
      return kind?.inSubtrees.includes(subtree) === true ? [kind] : [];
    });
    const [first] = chosen;
    const possible =
      first === undefined ? new Set(waiting.flatMap(({ options }) => options)) : (above[first] ?? []);
    return [...possible].filter(
      (top) =>
        chosen.every((at) => above[at]?.includes(top)) &&
        waiting.every(({ under }) => under[top] === 1) &&
        (chosen.includes(top) || waiting.some((kind) => kind.isOption[top] === 1 && this.fits(kind, top))),
    );
  }

  /**
   * Names everything on which the rest of the search depends. Providers that are twins are not told apart, so
   * that equal groups on equal providers are tried in one order only.
   */
  name(open: ReadonlyMap<number, number>): string {
    const { kinds, classCount } = this.#tree;
    const twins = this.#tree.twinNames();
    const tops = this.#plan.sameSubtree.map((_, number) =>
      this.tops(number, open).map((top) => (this.#inSubtree[number]?.includes(top) ? `${top}!` : `${top}`)),
    );
    const named = new Set(tops.flat().map((top) => Number.parseInt(top, 10)));
    const waiting = [...open.keys()].flatMap((number) => kinds[number] ?? []);
    const touched = [...new Set(this.chosen)]
      .filter((at) => waiting.some(({ isOption }) => isOption[at] === 1))
      .map((at) => {
        const left = this.#left.subarray(at * classCount, (at + 1) * classCount).join(",");
        const alone = this.#plan.isolate && this.#groups[at] !== 0 ? "!" : "";
        return `${named.has(at) ? `#${at}` : (twins[at] ?? "")}=${left}${alone}`;
      })
      .sort();
    return JSON.stringify([
      this.depth,
      tops,
      this.#traits.map((count) => Math.min(count, 1)).join(),
      touched,
    ]);
  }
}
