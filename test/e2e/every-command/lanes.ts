import { Scene } from "./scene.js";
import type { Row } from "./row.js";
import type { Stage } from "./stage.js";
import { tryRow } from "./try.js";
import type { Client } from "./try.js";

/**
 * Tries all rows: those of one process of a client one after the other, and the processes side by side. While
 * a row is tried, what the next one needs is made.
 * @returns what awaits each row, in their order; rejections are kept until somebody asks
 */
export function tryAll(
  stage: Stage,
  tables: Readonly<Record<Client, readonly Row[]>>,
): Map<Row, Promise<void>> {
  const lanes = new Map<string, { client: Client; row: Row }[]>();
  for (const client of ["openstack", "nova"] as const)
    for (const row of tables[client]) {
      const lane = `${client} ${row.by ?? "demo"} ${client === "nova" ? "" : row.at}`;
      lanes.set(lane, [...(lanes.get(lane) ?? []), { client, row }]);
    }
  const turns = new Turns(2);
  const results = new Map<Row, Promise<void>>();
  let number = 0;
  for (const lane of lanes.values()) {
    let before: Promise<unknown> = Promise.resolve();
    let ready: Promise<unknown> = Promise.resolve();
    for (const { client, row } of lane) {
      const scene = new Scene(stage, ++number, row.from ?? "ACTIVE");
      // Not before the row before the last one is through: else all servers would be made at once.
      const made = ready.then(() => scene.prepare(row));
      const result = Promise.all([made, before]).then(([args]) =>
        turns.run(() => tryRow(client, stage, row, scene, args)),
      );
      ready = before;
      before = result.then(
        () => scene.leave(),
        () => scene.leave(),
      );
      before.catch(() => {});
      made.catch(() => {});
      result.catch(() => {});
      results.set(row, result);
    }
  }
  return results;
}

/** Lets so many run at a time, the longest waiting first. */
class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
