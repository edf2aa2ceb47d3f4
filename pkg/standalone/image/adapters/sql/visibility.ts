import type { Expression, ExpressionBuilder, SqlBool } from "kysely";
import type { Actor } from "../../../../kernel/index.js";
import type { ImageListQuery } from "../../domain/query.js";
import type { ImageTables } from "./tables.js";

type Builder = ExpressionBuilder<ImageTables, "image_image">;

/** A project that no token has; stands in when the actor has none, so that ownerless rows do not match. */
const NOBODY = "\u0001";

const projectOf = (actor: Actor): string => actor.projectId || NOBODY;

const sharedWith = (
  eb: Builder,
  projectId: string,
  statuses: readonly ("pending" | "accepted" | "rejected")[],
): Expression<SqlBool> =>
  eb.and([
    eb("visibility", "=", "shared"),
    eb.exists(
      eb
        .selectFrom("image_member")
        .select("member_id")
        .whereRef("image_member.image_id", "=", "image_image.id")
        .where("member_id", "=", projectId)
        .where("image_member.status", "in", statuses),
    ),
  ]);

/**
 * Images that the actor may read by id: its own, public and community ones, those shared with it;
 * administrators all.
 */
export const readable =
  (actor: Actor) =>
  (eb: Builder): Expression<SqlBool> =>
    actor.roles.includes("admin")
      ? eb.lit(true)
      : eb.or([
          eb("owner", "=", projectOf(actor)),
          eb("visibility", "in", ["public", "community"]),
          sharedWith(eb, projectOf(actor), ["pending", "accepted", "rejected"]),
        ]);

/** Images that a list shows: as `readable`, but other projects' community images only when asked for. */
export const listed =
  (actor: Actor, query: ImageListQuery) =>
  (eb: Builder): Expression<SqlBool> => {
    const project = projectOf(actor);
    const statuses =
      query.memberStatus === "all" ? (["pending", "accepted", "rejected"] as const) : [query.memberStatus];
    const admin = actor.roles.includes("admin");
    const community = query.visibility === "community" || query.visibility === "all";
    const scope = admin
      ? eb.lit(true)
      : eb.or([
          eb("owner", "=", project),
          eb("visibility", "=", "public"),
          sharedWith(eb, project, statuses),
          ...(community ? [eb("visibility", "=", "community")] : []),
        ]);
    return query.visibility === undefined || query.visibility === "all"
      ? scope
      : eb.and([scope, eb("visibility", "=", query.visibility)]);
  };
