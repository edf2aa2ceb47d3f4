/**
 * A set of small non-negative integers that grows as needed. Set operations change the receiver and return
 * it.
 */
export class Bitset {
  #words: Uint32Array;

  constructor(words: Uint32Array = new Uint32Array(4)) {
    this.#words = words;
  }

  static of(members: Iterable<number>): Bitset {
    const set = new Bitset();
    for (const one of members) set.add(one);
    return set;
  }

  add(member: number): void {
    const word = member >>> 5;
    if (word >= this.#words.length) {
      const grown = new Uint32Array(Math.max(word + 1, this.#words.length * 2));
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (member & 31));
  }

  delete(member: number): void {
    const word = member >>> 5;
    if (word < this.#words.length) this.#words[word] = (this.#words[word] ?? 0) & ~(1 << (member & 31));
  }

  has(member: number): boolean {
    return ((this.#words[member >>> 5] ?? 0) & (1 << (member & 31))) !== 0;
  }

  clone(): Bitset {
    return new Bitset(this.#words.slice());
  }

  and(other: Bitset): this {
    for (let i = 0; i < this.#words.length; i++)
      this.#words[i] = (this.#words[i] ?? 0) & (other.#words[i] ?? 0);
    return this;
  }

  andNot(other: Bitset): this {
    for (let i = 0; i < this.#words.length; i++)
      this.#words[i] = (this.#words[i] ?? 0) & ~(other.#words[i] ?? 0);
    return this;
  }

  or(other: Bitset): this {
    if (other.#words.length > this.#words.length) {
      const grown = other.#words.slice();
      for (let i = 0; i < this.#words.length; i++) grown[i] = (grown[i] ?? 0) | (this.#words[i] ?? 0);
      this.#words = grown;
      return this;
    }
    for (let i = 0; i < other.#words.length; i++)
      this.#words[i] = (this.#words[i] ?? 0) | (other.#words[i] ?? 0);
    return this;
  }

  get empty(): boolean {
    return this.#words.every((word) => word === 0);
  }

  get size(): number {
    let count = 0;
    for (let word of this.#words) for (; word !== 0; word &= word - 1) count++;
    return count;
  }

  /** Members in ascending order, as a fresh list. */
  toArray(): number[] {
    const members: number[] = [];
    for (let i = 0; i < this.#words.length; i++) {
      for (let word = this.#words[i] ?? 0; word !== 0; word &= word - 1)
        members.push((i << 5) + 31 - Math.clz32(word & -word));
    }
    return members;
  }
}
