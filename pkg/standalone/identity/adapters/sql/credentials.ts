import type { Selectable } from "kysely";
import type { Ctx, Instant } from "../../../../kernel/index.js";
import { violates } from "../../../../platform/db/index.js";
import type { Database } from "../../../../platform/db/index.js";
import { E } from "../../errors.js";
import type { IdentityTables } from "./tables.js";

/** A secret of its own for a program that acts as its user in one project, with some of the user's roles. */
export interface ApplicationCredential {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly userId: string;
  readonly projectId: string;
  readonly roleIds: readonly string[];
  /** May make and delete application credentials itself. */
  readonly unrestricted: boolean;
  readonly expiresAt: Instant | null;
}

export interface CredentialStore {
  insert(ctx: Ctx, credential: ApplicationCredential, secretHash: string): Promise<void>;
  find(
    ctx: Ctx,
    by: { readonly id: string } | { readonly userId: string; readonly name: string },
  ): Promise<(ApplicationCredential & { readonly secretHash: string }) | undefined>;
  list(ctx: Ctx, userId: string, name?: string): Promise<ApplicationCredential[]>;
  /** Ends its tokens too. @throws NOT_FOUND */
  remove(ctx: Ctx, userId: string, id: string): Promise<void>;
}

export function credentialStore(db: Database<IdentityTables>): CredentialStore {
  return {
    insert: async (ctx, { userId, projectId, roleIds, expiresAt, ...rest }, secretHash) => {
      try {
        await db.statement(ctx, "identity.credential.insert", (tx) =>
          tx
            .insertInto("identity_application_credential")
            .values({
              ...rest,
              user_id: userId,
              project_id: projectId,
              role_ids: [...roleIds],
              expires_at: expiresAt,
              secret_hash: secretHash,
            })
            .execute(),
        );
      } catch (error) {
        if (violates(error, "identity_application_credential_name"))
          throw E.DUPLICATE({ what: "application credential", name: rest.name }, { cause: error });
        throw error;
      }
    },
    find: async (ctx, by) => {
      const row = await db.statement(ctx, "identity.credential.find", (tx) => {
        const query = tx.selectFrom("identity_application_credential").selectAll();
        return (
          "id" in by
            ? query.where("id", "=", by.id)
            : query.where("user_id", "=", by.userId).where("name", "=", by.name)
        ).executeTakeFirst();
      });
      return row && { ...fromRow(row), secretHash: row.secret_hash };
    },
    list: async (ctx, userId, name) =>
      (
        await db.statement(ctx, "identity.credential.list", (tx) => {
          const query = tx
            .selectFrom("identity_application_credential")
            .selectAll()
            .where("user_id", "=", userId)
            .orderBy("name");
          return (name === undefined ? query : query.where("name", "=", name)).execute();
        })
      ).map(fromRow),
    remove: (ctx, userId, id) =>
      db.statement(ctx, "identity.credential.remove", async (tx) => {
        const gone = await tx
          .deleteFrom("identity_application_credential")
          .where("id", "=", id)
          .where("user_id", "=", userId)
          .executeTakeFirstOrThrow();
        if (gone.numDeletedRows === 0n) throw E.NOT_FOUND({ what: "application credential", id });
      }),
  };
}

const fromRow = (
  row: Selectable<IdentityTables["identity_application_credential"]>,
): ApplicationCredential => ({
  id: row.id,
  name: row.name,
  description: row.description,
  userId: row.user_id,
  projectId: row.project_id,
  roleIds: row.role_ids,
  unrestricted: row.unrestricted,
  expiresAt: row.expires_at,
});
