/** How many consoles may be open. */
export interface PlaceNumbers {
  readonly maxConnections: number;
  readonly maxConnectionsPerProject: number;
  readonly maxConnectionsPerServer: number;
}

/** Counts the consoles that are open, in all, by project and by server. */
export class Places {
  readonly #numbers: PlaceNumbers;
  readonly #taken = new Map<string, number>();

  constructor(numbers: PlaceNumbers) {
    this.#numbers = numbers;
  }

  /** @returns gives the place back, or undefined when there is none */
  take(projectId: string, serverId: string): (() => void) | undefined {
    const { maxConnections, maxConnectionsPerProject, maxConnectionsPerServer } = this.#numbers;
    const shares: readonly (readonly [string, number])[] = [
      ["", maxConnections],
      [`project ${projectId}`, maxConnectionsPerProject],
      [`server ${serverId}`, maxConnectionsPerServer],
    ];
    if (shares.some(([key, most]) => (this.#taken.get(key) ?? 0) >= most)) return undefined;
    for (const [key] of shares) this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      for (const [key] of shares) this.#leave(key);
    };
  }

  get open(): number {
    return this.#taken.get("") ?? 0;
  }

  #leave(key: string): void {
    const left = (this.#taken.get(key) ?? 1) - 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }
}
