import assert from "node:assert/strict";
import pg from "pg";
import { notShared } from "../../../pkg/testkit/shared-sql.js";
import { A_CONFLICT } from "./a-conflict.js";

/**
 * Keeps every text that this process sends to a database, whoever sends it. Loaded before the tests by
 * `.mocharc.json`; at the end of a run (in a lane of a suite that is each file) none of them may be one that
 * CockroachDB refuses.
 */
const sent = new Set<string>();

const query = pg.Client.prototype.query;
pg.Client.prototype.query = function (this: pg.Client, ...given: readonly unknown[]) {
  const [asked] = given as readonly [string | { readonly text?: unknown }];
  const text = typeof asked === "string" ? asked : asked.text;
  if (typeof text === "string") sent.add(text);
  return Reflect.apply(query, this, given);
} as typeof query;

export const mochaHooks = {
  afterAll(): void {
    sent.delete(A_CONFLICT);
    const refused = [...sent].flatMap((text) => notShared(text).map((why) => `${why}: ${text}`));
    // What this file has sent is not the next one's.
    sent.clear();
    assert.deepEqual(refused, [], "statements that CockroachDB does not take");
  },
};
