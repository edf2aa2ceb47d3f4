import pg from "pg";
import { testCluster } from "../../pkg/testkit/postgres.js";
import type { Connection } from "./protocol.js";
import type { Scenario } from "./scenario.js";

let made = 0;
/** By scenario, a database that each place is a copy of: a copy costs a tenth of what its migrations do. */
const templates = new Map<Scenario, Promise<Connection>>();

/** A database as the scenario wants it, with nothing in it yet. */
export async function databaseOf(scenario: Scenario): Promise<Connection> {
  let template = templates.get(scenario);
  if (template === undefined) {
    template = templateOf(scenario);
    templates.set(scenario, template);
  }
  return createDatabase((await template).database);
}

async function templateOf(scenario: Scenario): Promise<Connection> {
  const connection = await createDatabase("template1");
  await scenario.prepare(connection);
  return connection;
}

async function createDatabase(template: string): Promise<Connection> {
  const { connection } = await testCluster();
  const database = `crash_${process.pid}_${++made}`;
  await asOwner(`CREATE DATABASE ${database} TEMPLATE ${template}`);
  return { ...connection, database };
}

/** Drops it, whoever is still connected. */
export const forget = ({ database }: Connection): Promise<void> =>
  asOwner(`DROP DATABASE ${database} WITH (FORCE)`);

async function asOwner(statement: string): Promise<void> {
  const client = new pg.Client((await testCluster()).connection);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
