import type { NovaListing } from "../../../gen/kilonova/compat/v1/nova_lists_service.js";
import type { Ctx } from "../../kernel/index.js";
import { merged } from "../../kernel/index.js";
import type { Policy, RuleName, Target } from "../../policy/index.js";
import type { Shape, Unary } from "../shape/shape.js";
import { shapeCheck } from "../shape/shape.js";
import type { DeclaredRules } from "./declared-rules.js";
import type { Call } from "./rights.js";
import { ApiErrors } from "../errors.js";
import { Rights, plainListing } from "./rights.js";

/** What a call is about. */
export interface Subject {
  /** Whose it is: what the deciding rule is asked about. */
  readonly owner: Target;
  /**
   * The rule that decides about the call: the first that the method's proto names, unless this form of the
   * request is another one's business. "none" leaves everything to the parts of the answer.
   */
  readonly decides?: RuleName | "none";
}

/** Finds what a call is about with the caller's rights: what he cannot see is missing, not forbidden. */
export type About<Req, S extends Subject> = (ctx: Call, request: Req) => S | Promise<S>;

/** A list as the gateway asks it. */
export interface NovaAsked<Req> {
  readonly list: Req | undefined;
  readonly nova: NovaListing | undefined;
}

/** An operation behind policy. Nothing else is served, and only `guarded` makes one. */
class GuardedOp<Req, Res> {
  readonly #run: (ctx: Call, request: Req) => Promise<Res>;

  constructor(run: (ctx: Call, request: Req) => Promise<Res>) {
    this.#run = run;
  }

  /** The operation as a method serves it that declares these rules. */
  under(policy: Policy, rules: DeclaredRules): Unary<Req, Res> {
    return (ctx: Ctx, request) =>
      this.#run(merged(ctx, { rights: new Rights(policy, ctx.actor, rules), nova: plainListing }), request);
  }

  /** The same as the gateway asks it, under the same rules. */
  asNova(policy: Policy, rules: DeclaredRules): Unary<NovaAsked<Req>, Res> {
    return (ctx: Ctx, { list, nova = plainListing }) => {
      if (list === undefined) throw ApiErrors.INVALID_REQUEST({ field: "list", problem: "must be given" });
      return this.#run(merged(ctx, { rights: new Rights(policy, ctx.actor, rules), nova }), list);
    };
  }
}
export type Guarded<Req, Res> = GuardedOp<Req, Res>;

/**
 * An operation, in the order of its checks: shape, what it is about, the rule that decides, and only then the
 * work.
 * @throws INVALID_REQUEST with every violation; what `about` does not find; FORBIDDEN
 */
export function guarded<Req extends object, Res, S extends Subject>(
  shape: NoInfer<Shape<Req>>,
  about: About<NoInfer<Req>, S>,
  run: (ctx: Call, request: Req, subject: S) => Promise<Res>,
): Guarded<Req, Res> {
  const check = shapeCheck<Req>(shape);
  return new GuardedOp(async (ctx, request) => {
    check(request);
    const subject = await about(ctx, request);
    const rule = subject.decides ?? ctx.rights.deciding;
    if (rule !== "none") ctx.rights.enforce(rule, subject.owner);
    return run(ctx, request, subject);
  });
}

/** The caller's own project, for what belongs to nobody yet or to the whole cloud. */
export const own = ({ actor }: Ctx): Subject => ({
  owner: { project_id: actor.projectId, user_id: actor.userId },
});

/** As `own`, where the form of the request chooses the rule. */
export const ownBy =
  <Req>(decides: (request: Req) => RuleName | "none"): About<Req, Subject> =>
  (ctx, request) => ({ ...own(ctx), decides: decides(request) });
