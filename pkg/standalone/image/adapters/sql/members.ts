import type { Selectable } from "kysely";
import type { Ctx, Instant } from "../../../../kernel/index.js";
import { violates } from "../../../../platform/db/index.js";
import type { Database } from "../../../../platform/db/index.js";
import type { Member, MemberStatus } from "../../domain/model.js";
import { E } from "../../errors.js";
import type { ImageTables } from "./tables.js";

/** The projects that an image is shared with. Whoever calls has checked that the actor may. */
export interface MemberStore {
  list(ctx: Ctx, imageId: string): Promise<Member[]>;
  get(ctx: Ctx, imageId: string, memberId: string): Promise<Member>;
  /** @throws MEMBER_EXISTS, IMAGE_NOT_FOUND */
  insert(ctx: Ctx, member: Member): Promise<void>;
  /** @throws MEMBER_NOT_FOUND */
  answer(ctx: Ctx, imageId: string, memberId: string, status: MemberStatus, now: Instant): Promise<Member>;
  /** @throws MEMBER_NOT_FOUND */
  remove(ctx: Ctx, imageId: string, memberId: string): Promise<void>;
}

export function memberStore(db: Database<ImageTables>): MemberStore {
  return {
    list: async (ctx, imageId) =>
      (
        await db.statement(ctx, "image.members", (tx) =>
          tx
            .selectFrom("image_member")
            .selectAll()
            .where("image_id", "=", imageId)
            .orderBy("member_id")
            .execute(),
        )
      ).map(fromRow),
    get: async (ctx, imageId, member) => {
      const row = await db.statement(ctx, "image.member", (tx) =>
        tx
          .selectFrom("image_member")
          .selectAll()
          .where("image_id", "=", imageId)
          .where("member_id", "=", member)
          .executeTakeFirst(),
      );
      if (!row) throw E.MEMBER_NOT_FOUND({ id: imageId, member });
      return fromRow(row);
    },
    insert: async (ctx, { imageId, memberId, status, createdAt, updatedAt }) => {
      try {
        await db.statement(ctx, "image.member.insert", (tx) =>
          tx
            .insertInto("image_member")
            .values({
              image_id: imageId,
              member_id: memberId,
              status,
              created_at: createdAt,
              updated_at: updatedAt,
            })
            .execute(),
        );
      } catch (error) {
        if (violates(error, "image_member_pkey"))
          throw E.MEMBER_EXISTS({ member: memberId }, { cause: error });
        if (violates(error, "image_member_image")) throw E.IMAGE_NOT_FOUND({ id: imageId }, { cause: error });
        throw error;
      }
    },
    answer: async (ctx, imageId, member, status, now) => {
      const row = await db.statement(ctx, "image.member.answer", (tx) =>
        tx
          .updateTable("image_member")
          .set({ status, updated_at: now })
          .where("image_id", "=", imageId)
          .where("member_id", "=", member)
          .returningAll()
          .executeTakeFirst(),
      );
      if (!row) throw E.MEMBER_NOT_FOUND({ id: imageId, member });
      return fromRow(row);
    },
    remove: (ctx, imageId, member) =>
      db.statement(ctx, "image.member.remove", async (tx) => {
        const gone = await tx
          .deleteFrom("image_member")
          .where("image_id", "=", imageId)
          .where("member_id", "=", member)
          .executeTakeFirstOrThrow();
        if (gone.numDeletedRows === 0n) throw E.MEMBER_NOT_FOUND({ id: imageId, member });
      }),
  };
}

const fromRow = (row: Selectable<ImageTables["image_member"]>): Member => ({
  imageId: row.image_id,
  memberId: row.member_id,
  status: row.status,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
