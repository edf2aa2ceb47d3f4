import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { bufferOf, encoded } from "../../domain/bytes.js";

/** How a record is kept: what lists need apart from what only operations need. */
export interface StoredRecord {
  readonly server: Buffer;
  readonly details: Buffer;
}

/** Splits a record into its columns. User data has a column of its own, and rows have their own tables. */
export const storeRecord = (record: InstanceRecord): StoredRecord => ({
  server: encoded(Server, serverOf(record)),
  details: bufferOf(
    InstanceRecord.encode({
      ...record,
      server: undefined,
      encryptedUserData: Buffer.alloc(0),
      number: 0n,
      records: undefined,
    }).finish(),
  ),
});

/** Joins the columns of a record. */
export const loadRecord = (
  row: StoredRecord & { readonly number: number; readonly user_data?: Buffer | null },
): InstanceRecord => ({
  ...InstanceRecord.decode(row.details),
  server: Server.decode(row.server),
  number: BigInt(row.number),
  encryptedUserData: row.user_data ?? Buffer.alloc(0),
});

/** The tenant's part of a record, which every record has. */
export function serverOf(record: InstanceRecord): Server {
  if (record.server === undefined) throw new Error("an instance record without server");
  return record.server;
}
