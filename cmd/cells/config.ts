import { z } from "zod";
import { cellsConfig } from "../../pkg/cells/index.js";
import { secret } from "../../pkg/platform/config/index.js";
import { keyList } from "../shared/sections.js";
import { clusterSections } from "../../pkg/platform/service/index.js";
import { CELL0 } from "../../pkg/model/database-names.js";

const NAME = /^cell(0|[1-9]\d*)$/;

const cell = z.strictObject({
  name: z.string().regex(NAME, { error: "cells are called cell0, cell1, …" }),
  uuid: z.uuid(),
  url: z.string().min(1),
  schema: z.string().default(""),
});

const databasesConfig = z
  .object({
    globalUrl: secret(z.string().default("")).describe(
      "The global database: postgresql://user:password@host:port/database",
    ),
    globalSchema: z.string().default("global").describe("Its schema."),
    cells: secret(
      z
        .array(cell)
        .default([])
        .refine((cells) => cells.length === 0 || cells.some(({ name }) => name === CELL0), {
          error: "cell0 is missing: it keeps servers that never got a host",
        })
        .refine((cells) => new Set(cells.map(({ name }) => name)).size === cells.length, {
          error: "a name occurs twice",
        }),
    ).describe(
      "The cells, each with `name` (cell0, cell1, …), `uuid`, `url` and `schema` (empty: the name).",
    ),
    maxConnections: z
      .number()
      .int()
      .min(2)
      .default(16)
      .describe("Connections of this process to each database server at most."),
  })
  .describe("The databases of the cells service.");

const sealingConfig = z
  .object({
    keys: keyList(
      "Keys for passwords and user data at rest, each with `id` and `key` (32 bytes, base64). The first seals, all open: put new ones in front.",
    ),
  })
  .describe("Encryption at rest.");

export const sections = {
  ...clusterSections,
  databases: databasesConfig,
  sealing: sealingConfig,
  cells: cellsConfig,
} as const;

export type DatabasesConfig = z.output<typeof databasesConfig>;
