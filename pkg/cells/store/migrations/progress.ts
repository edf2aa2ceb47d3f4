/**
 * How far the running step of an operation is. A column from its first day, unlike other new fields: a report
 * must be stored without a look at the rest of the operation. A process of the version before leaves what it
 * finds there, which is shown until the operation's next report or end.
 */
export const progressStatements: readonly string[] = [`ALTER TABLE operation ADD COLUMN progress bytea`];
