import type { Generated } from "kysely";
import type { Instant } from "../../../kernel/time.js";
import type { Migration } from "../migrate.js";

/**
 * The feed's tables, to be mixed into a database's own: `interface CellTables extends FeedTables { … }`.
 */
export interface FeedTables {
  outbox: {
    id: string;
    /** Place in the feed; null until the sequencer has seen the committed row. */
    revision: Generated<number | null>;
    entity_kind: string;
    entity_id: string;
    /** "" for what belongs to no project. */
    project_id: string;
    generation: number;
    event_type: string;
    payload: Buffer;
    created_at: Instant;
  };
  /** One row (id 1). */
  feed_state: {
    id: number;
    /** Names this database; a restored backup gets a new one, which invalidates all watch tokens. */
    incarnation: string;
    /** Highest revision given; all from `compacted + 1` to `head` exist. */
    head: number;
    /** Revisions up to here are deleted. */
    compacted: number;
    owner: string;
    /** Grows with each change of owner; numbering is conditional on it. */
    fence: number;
    owner_seen_at: Instant;
  };
}

/** The tables of a feed, as one step of the migrations of the database that has it. */
export const feedMigration = (name: string): Migration => ({
  name,
  statements: [
    `CREATE TABLE outbox (
      id uuid NOT NULL,
      revision int8,
      entity_kind text NOT NULL,
      entity_id text NOT NULL,
      project_id text NOT NULL,
      generation int8 NOT NULL,
      event_type text NOT NULL,
      payload bytea NOT NULL,
      created_at timestamptz NOT NULL,
      CONSTRAINT outbox_pkey PRIMARY KEY (id),
      CONSTRAINT outbox_revision_key UNIQUE (revision)
    )`,
    "CREATE INDEX outbox_unnumbered ON outbox (generation, created_at, id) WHERE revision IS NULL",
    `CREATE TABLE feed_state (
      id int8 NOT NULL CONSTRAINT feed_state_one_row CHECK (id = 1),
      incarnation uuid NOT NULL,
      head int8 NOT NULL,
      compacted int8 NOT NULL,
      owner text NOT NULL,
      fence int8 NOT NULL,
      owner_seen_at timestamptz NOT NULL,
      CONSTRAINT feed_state_pkey PRIMARY KEY (id),
      CONSTRAINT feed_state_order CHECK (compacted <= head)
    )`,
    `INSERT INTO feed_state (id, incarnation, head, compacted, owner, fence, owner_seen_at)
     VALUES (1, gen_random_uuid(), 0, 0, '', 0, now()) ON CONFLICT DO NOTHING`,
  ],
});
