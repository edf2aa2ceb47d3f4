import { NovaListing } from "../../../gen/kilonova/compat/v1/nova_lists_service.js";
import type { Actor, Ctx } from "../../kernel/index.js";
import type { Policy, RuleName, Target } from "../../policy/index.js";
import type { DeclaredRules } from "./declared-rules.js";

/** What one call may ask of policy: the rules that its method declares, and no other. */
export class Rights {
  readonly #policy: Policy;
  readonly #actor: Actor;
  readonly #declared: DeclaredRules;
  /** The one question that needs no declaration: it widens what is found, and never opens a method. */
  readonly isAdmin: boolean;

  constructor(
    policy: Policy,
    actor: Actor,
    declared: DeclaredRules,
    isAdmin = policy.allows(actor, "context_is_admin"),
  ) {
    this.#policy = policy;
    this.#actor = actor;
    this.#declared = declared;
    this.isAdmin = isAdmin;
  }

  /** The same for finding servers of every project: for methods whose own rule is about the whole cloud. */
  get everywhere(): Rights {
    return new Rights(this.#policy, this.#actor, this.#declared, true);
  }

  /** @throws where only the call can say which rule decides about it */
  get deciding(): RuleName {
    const { deciding } = this.#declared;
    if (deciding === undefined) throw new Error("no rule of the method decides by itself");
    return deciding;
  }

  /** For rules that only change an answer. @param target  the caller's own project unless given */
  allows(rule: RuleName, target?: Target): boolean {
    return this.#policy.allows(this.#actor, this.#required(rule), target);
  }

  /** @throws FORBIDDEN naming the rule */
  enforce(rule: RuleName, target?: Target): void {
    this.#policy.enforce(this.#actor, this.#required(rule), target);
  }

  #required(rule: RuleName): RuleName {
    if (!this.#declared.asked.has(rule)) throw new Error(`the method does not declare that it asks ${rule}`);
    return rule;
  }
}

/** The context of one call. */
export interface Call extends Ctx {
  readonly rights: Rights;
  /** What the gateway asks beyond the public contract; of users, nothing. */
  readonly nova: NovaListing;
}

/** A call of the public contract. */
export const plainListing: NovaListing = Object.freeze(NovaListing.fromPartial({}));
